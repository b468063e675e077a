/**
 * A relay, as it is named on the command line: HOST[:PORT].
 */
import { isIP, isIPv6 } from "node:net";
import { Trouble } from "./trouble.ts";

export interface RelayAddress {
  /** `${server_name}` of sendmail: an address is in brackets. */
  readonly name: string;
  /** Without brackets: what is connected to. */
  readonly host: string;
  readonly port: number;
  /** Where the host is an address. */
  readonly address: string | undefined;
}

const SMTP_PORT = 25;

/** @throws {Trouble} */
export function relayAddress(text: string): RelayAddress {
  // An address of IPv6 has colons of its own, and needs brackets where a port follows.
  const [, bracketed, plain = "", port = String(SMTP_PORT)] =
    (isIPv6(text) ? [text, undefined, text] : /^(?:\[([^[\]]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text)) ?? [];
  const host = (bracketed ?? plain).replace(/^IPv6:/i, "");
  const number = Number(port);
  if (host === "" || number < 1 || number > 65535) throw new Trouble("--relay: it is HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT");
  const isAddress = isIP(host) !== 0;
  const name = bracketed !== undefined ? `[${bracketed}]` : isAddress ? `[${host}]` : host;
  return { name, host, port: number, address: isAddress ? host : undefined };
}
