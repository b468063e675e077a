/**
 * OTP (RFC 2444), which uses up one of the user's one-time passwords. Clients of
 * Cyrus SASL set a new sequence when the old one comes to its end; this one
 * never does.
 */
import { isOtpSeed, OTP_ALGORITHMS, otpValue } from "../../sasldb/otp.ts";
import { type Conversation, type Login, LoginError, latin1 } from "./conversation.ts";

/** RFC 2444, section 3.1, and what Cyrus SASL counts from. */
const CHALLENGE = /^otp-([a-z0-9]+)\s+(\d{1,4})\s+([A-Za-z0-9]+)\s+ext\S*\s*$/;

export function* otp({ authorizationId, authenticationId, password }: Login): Conversation {
  const challenge = yield { bytes: Buffer.concat([authorizationId ?? new Uint8Array(), Buffer.alloc(1), authenticationId]) };
  const [, name, sequence, seedText = ""] = CHALLENGE.exec(latin1(challenge)) ?? [];
  const algorithm = OTP_ALGORITHMS.find((one) => one === name);
  const seed = seedText.toLowerCase();
  if (algorithm === undefined || !isOtpSeed(seed)) throw new LoginError("challenge", "its challenge is none of OTP's");
  const value = otpValue(password, { algorithm, seed, sequence: Number(sequence) });
  yield { bytes: Buffer.from(`hex:${Buffer.from(value).toString("hex")}`), isLast: true };
}
