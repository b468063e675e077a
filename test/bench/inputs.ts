/**
 * What is measured on: source lines of 82 bytes, and a database of users.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { Database, RecordBatch } from "berkeley-db-js";

const PART = 10_000;

/** The key of a line, as it is stored. */
export function keyOf(line: number): string {
  return `authinfo:host${digits(line)}.example.com`;
}

function digits(line: number): string {
  return String(line).padStart(8, "0");
}

/** A map source of so many lines. */
export function writeLines(path: string, count: number): void {
  const file = openSync(path, "w");
  for (let from = 0; from < count; from += PART) {
    const lines = Array.from({ length: Math.min(PART, count - from) }, (_, i) => {
      const n = digits(from + i);
      return `AuthInfo:host${n}.example.com\t"U:root" "I:u${n}@example.com" "P:secret"\n`;
    });
    writeSync(file, lines.join(""));
  }
  closeSync(file);
}

/** A SASL database of so many users, each with a password and an OTP secret. */
export function writeUsers(path: string, count: number): void {
  using database = Database.open(path, { type: "hash", create: true, truncate: true, cacheSize: 1 << 27 });
  const batch = new RecordBatch(1 << 20);
  const put = (name: string, value: string): void => batch.append(Buffer.from(name), Buffer.from(value));
  for (let i = 0; i < count; i++) {
    const key = `user${String(i).padStart(6, "0")}\0mail.example.com`;
    put(`${key}\0userPassword`, `secret${i}`);
    put(`${key}\0cmusaslsecretOTP`, "md5\t0499\tma1001\tf32bb8ac5977df18\t00000000000000000000");
    if (batch.count < 4096 && i + 1 < count) continue;
    database.putMany(batch);
    batch.clear();
  }
}
