/**
 * Text in the macros of man(7), which nroff of every Unix knows, AIX's too.
 */

/** Options and names like SCRAM-SHA-1: a hyphen in them is no place to break a line. */
const NAMES = /(?<![\w-])--[a-z][a-z-]*|\b[A-Z0-9]+(?:-[A-Z0-9]+)+\b/g;

/** Text as it is: nothing in it is a request or an escape. */
export function plain(text: string): string {
  return escaped(text).replace(NAMES, minus);
}

function minus(text: string): string {
  return text.replaceAll("-", "\\-");
}

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll("`", "\\(ga")
    .replace(/^\./gm, "\\&.");
}

/** What is typed, or looked up, as it stands. */
export function literal(text: string): string {
  return minus(escaped(text));
}

export function bold(text: string): string {
  return `\\fB${literal(text)}\\fR`;
}

/** What something else stands for. */
export function italic(text: string): string {
  return `\\fI${plain(text)}\\fR`;
}

/** A sentence in which what is typed stands between backquotes. */
export function prose(text: string): string {
  return text
    .split("`")
    .map((part, index) => (index % 2 === 0 ? plain(part) : bold(part)))
    .join("");
}

export function section(title: string, body: string): string {
  return body === "" ? "" : `.SH ${title}\n${body}`;
}

export function paragraphs(list: readonly string[]): string {
  return list.map((text) => `${prose(text)}\n`).join(".PP\n");
}

/** Terms, already in roff, with what is said of them. */
export function definitions(list: readonly (readonly [term: string, text: string])[]): string {
  return list.map(([term, text]) => `.TP\n${term}\n${text}\n`).join("");
}

/** Lines as they are typed. */
export function example(lines: readonly string[]): string {
  return `.PP\n.RS 4\n.nf\n${lines.map((line) => `${literal(line)}\n`).join("")}.fi\n.RE\n`;
}
