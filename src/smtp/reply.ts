/**
 * A reply of an SMTP server (RFC 5321, section 4.2).
 */

export interface Reply {
  /** Three digits. */
  readonly code: number;
  /** Without the codes before them; text of others. */
  readonly lines: readonly string[];
}

const LINE = /^([2-5]\d\d)(?:([ -])(.*))?$/s;

/**
 * Takes a reply apart.
 * @param text its lines, with LF between them; the last one counts, as for sendmail.
 * @returns undefined for what is none.
 */
export function parseReply(text: string): Reply | undefined {
  const lines = text.split("\n").map((line) => LINE.exec(line));
  const last = lines.at(-1);
  if (last == null || last[2] === "-" || lines.includes(null)) return undefined;
  return { code: Number(last[1]), lines: lines.map((line) => line?.[3] ?? "") };
}

/** The keyword lines of an EHLO reply; the first one is the server's name. */
function* keywords({ lines }: Reply): Generator<readonly [keyword: string, rest: string]> {
  for (const line of lines.slice(1)) {
    const [, keyword = "", rest = ""] = /^([^ =]+)(?:[ =](.*))?$/s.exec(line.trim()) ?? [];
    if (keyword !== "") yield [keyword.toUpperCase(), rest];
  }
}

/** The mechanisms that an EHLO reply offers, in its order; that of old servers, `AUTH=`, counts too, as for sendmail. */
export function offeredMechanisms(ehlo: Reply): readonly string[] {
  const names = [...keywords(ehlo)].flatMap(([keyword, rest]) => (keyword === "AUTH" ? rest.split(/[\s=]+/) : []));
  return [...new Set(names.filter((name) => name !== ""))];
}

export function offersStartTls(ehlo: Reply): boolean {
  return [...keywords(ehlo)].some(([keyword]) => keyword === "STARTTLS");
}
