/**
 * The mechanisms that a client here can log in with, by name.
 */
import { SCRAM_MECHANISMS } from "../../sasldb/scram.ts";
import type { Conversation, Login } from "./conversation.ts";
import { cramMd5 } from "./cram-md5.ts";
import { digestMd5 } from "./digest-md5.ts";
import { otp } from "./otp.ts";
import { login, plain } from "./plain.ts";
import { scram } from "./scram.ts";

export const LOGIN_CLIENTS: ReadonlyMap<string, (login: Login) => Conversation> = new Map([
  ...SCRAM_MECHANISMS.map((mechanism) => [mechanism, (login: Login): Conversation => scram(mechanism, login)] as const),
  ["DIGEST-MD5", digestMd5],
  ["OTP", otp],
  ["CRAM-MD5", cramMd5],
  ["PLAIN", plain],
  ["LOGIN", login],
]);

/** Those in which the password itself is sent. */
export const PLAIN_TEXT_MECHANISMS: readonly string[] = ["PLAIN", "LOGIN"];
