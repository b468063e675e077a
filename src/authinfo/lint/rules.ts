/**
 * What lint looks for: the one table of codes, and the only English.
 *
 * What sendmail does is that of 8.17.1.9: usersmtp.c (getauth, parseauthinfo),
 * map.c, parseaddr.c, and FEATURE(`authinfo'); makemap's part is makemap.c.
 */

/** error: mail would go without authentication or be deferred; warning: doubtful; note: good to know. */
export type Severity = "error" | "warning" | "note";

export type LintCode =
  | "world-writable"
  | "group-writable"
  | "world-readable"
  | "group-readable"
  | "utf8-byte-order-mark"
  | "utf16-text"
  | "crlf"
  | "stray-carriage-return"
  | "nul-byte"
  | "line-too-long"
  | "leading-blank"
  | "missing-value"
  | "missing-tag"
  | "tag-without-colon"
  | "tag-case"
  | "server-case"
  | "upper-case-key"
  | "quoted-key"
  | "missing-blank-after-key"
  | "blank-after-tag"
  | "no-break-space-in-key"
  | "no-break-space"
  | "port-in-key"
  | "brackets-around-name"
  | "brackets-around-address"
  | "brackets-win"
  | "trailing-dot"
  | "pattern-key"
  | "network-key"
  | "domain-key"
  | "ipv6-key"
  | "malformed-key"
  | "non-ascii-key"
  | "key-too-long"
  | "duplicate-key"
  | "keys-fold-together"
  | "mixed-nul"
  | "nul-differs"
  | "value-no"
  | "value-temp"
  | "value-question"
  | "dollar-hash"
  | "empty-value"
  | "unquoted-item"
  | "ignored-text"
  | "single-quotes"
  | "typographic-quotes"
  | "typographic-quotes-in-text"
  | "inner-quote"
  | "backslash"
  | "unclosed-quote"
  | "unknown-item"
  | "bad-delimiter"
  | "short-item"
  | "too-many-items"
  | "repeated-item"
  | "realm-without-effect"
  | "missing-password"
  | "missing-user"
  | "empty-password"
  | "empty-user"
  | "bad-base64"
  | "newline-in-base64"
  | "base64-not-text"
  | "base64-in-plain"
  | "percent-expansion"
  | "doubled-percent"
  | "comma-in-mechanisms"
  | "unknown-mechanism"
  | "unusable-mechanism"
  | "uncommon-mechanism"
  | "empty-mechanisms"
  | "blank-at-end"
  | "altered-byte"
  | "text-too-long"
  | "not-authenticated"
  | "more-findings";

export interface Rule {
  /** The usual one first. */
  readonly severities: readonly [Severity, ...Severity[]];
  /** What was found. */
  readonly what: string;
  /** What is known besides of the place: `{name}` stands for an argument of the finding. */
  readonly detail?: string;
  /** What sendmail or makemap does with it. */
  readonly why: string;
  readonly mend: string;
  /** --fix mends it where there is no doubt. */
  readonly fix?: "certain";
}

/** All rules by their codes. */
export const LINT_RULES: Readonly<Record<LintCode, Rule>> = {
  // The file.
  "world-writable": {
    severities: ["error"],
    what: "everybody may write this file",
    detail: "mode {mode}",
    why: "Any local user can have the mail, and the password, sent elsewhere.",
    mend: "chmod {chmod}",
  },
  "group-writable": {
    severities: ["warning"],
    what: "the file's group may write it",
    detail: "mode {mode}",
    why: "Each of the group can change to whom the password is sent.",
    mend: "chmod {chmod}",
  },
  "world-readable": {
    severities: ["warning"],
    what: "everybody may read this file, and it is for passwords",
    detail: "mode {mode}",
    why: "sendmail does not refuse such a file: it leaves the matter to the administrator.",
    mend: "chmod {chmod}",
  },
  "group-readable": {
    severities: ["note"],
    what: "the file's group may read it",
    detail: "mode {mode}",
    why: "makemap alone reads the source text, as root. The database is another matter: the submission program reads it by its group.",
    mend: "chmod {chmod}",
  },

  // The text.
  "utf8-byte-order-mark": {
    severities: ["error", "warning"],
    what: "the text begins with a byte order mark",
    why: "makemap makes it part of the first key, which is never asked for then; a comment sign behind it is hidden.",
    mend: "remove the three bytes EF BB BF",
    fix: "certain",
  },
  "utf16-text": {
    severities: ["error"],
    what: "the text is UTF-16",
    why: "makemap reads bytes, and refuses every line that holds a NUL.",
    mend: "store it as UTF-8 without a byte order mark",
  },
  crlf: {
    severities: ["warning"],
    what: "lines end with CR LF",
    detail: "{lines} in all, this is the first",
    why: "makemap keeps the CR in the value, and takes an empty line that has one for an error.",
    mend: "end lines with LF alone",
    fix: "certain",
  },
  "stray-carriage-return": {
    severities: ["warning"],
    what: "a CR stands within a line",
    why: "It ends no line: what was meant for the next line is part of this one.",
    mend: "end the line with LF",
  },
  "nul-byte": {
    severities: ["error", "warning"],
    what: "the line holds a NUL",
    why: "makemap refuses the line as too long, however short it is; a last line without a newline is cut there.",
    mend: "remove the NUL",
  },
  "line-too-long": {
    severities: ["error", "warning"],
    what: "the line is too long for makemap",
    detail: "1022 bytes is the longest",
    why: "makemap refuses the first 1023 bytes, and takes what follows for a new line.",
    mend: "shorten the line; there is no continuation of lines",
  },
  "leading-blank": {
    severities: ["error", "warning"],
    what: "the line begins with a blank",
    why: "makemap refuses it (exit code 65): it continues no line, and is no comment.",
    mend: "begin the line with the key; join what continues a line with it",
    fix: "certain",
  },
  "missing-value": {
    severities: ["error"],
    what: "the key has no value",
    why: "makemap refuses the line, so that there is no such entry.",
    mend: "put the items behind the key, on the same line",
  },

  // The key.
  "missing-tag": {
    severities: ["error", "note"],
    what: "the key does not begin with AuthInfo:",
    why: "sendmail asks for keys with this tag alone.",
    mend: "put AuthInfo: before the name of the server",
  },
  "tag-without-colon": {
    severities: ["error"],
    what: "the tag AuthInfo has no colon directly behind it",
    why: "The colon is part of what sendmail asks for.",
    mend: "write AuthInfo:SERVER, or AuthInfo: for all servers",
  },
  "tag-case": {
    severities: ["error"],
    what: "keys keep their case, and the tag is not AuthInfo:",
    why: "Where the K line has -f, sendmail asks for AuthInfo: in this very case.",
    mend: "write the tag as AuthInfo:",
  },
  "server-case": {
    severities: ["warning"],
    what: "keys keep their case, and the name of the server has upper case",
    why: "Where the K line has -f, sendmail asks for the name in the case that it knows it by.",
    mend: "write the name in lower case, unless sendmail's log has it otherwise",
  },
  "upper-case-key": {
    severities: ["error", "warning"],
    what: "the map holds a key with upper case",
    why: "sendmail asks in lower case, unless the K line has -f: the entry is never found, though one in lower case may be.",
    mend: "build the map without -f, or give the K line -f and lint the same",
  },
  "quoted-key": {
    severities: ["error"],
    what: "the key begins with a quote",
    why: "Quotes in a key mean nothing to makemap: they become part of it, and sendmail does not ask for them.",
    mend: "remove the quotes about the key",
  },
  "missing-blank-after-key": {
    severities: ["error"],
    what: "no blank stands between the key and the first item",
    why: "makemap takes all up to the first blank for the key, and says nothing; sendmail never asks for such a key, and the item is missing from the value.",
    mend: "put a blank or a tab behind the name of the server; add the name where it is missing, or the blank alone for all servers",
    fix: "certain",
  },
  "blank-after-tag": {
    severities: ["error"],
    what: "a blank stands between AuthInfo: and the server",
    why: "makemap ends the key at the blank: the entry is that of all servers, and its value begins with the name.",
    mend: "write AuthInfo:SERVER without a blank",
  },
  "no-break-space-in-key": {
    severities: ["error"],
    what: "a no-break space stands behind the key",
    why: "makemap does not take it for a blank: it and what follows become part of the key.",
    mend: "write an ordinary blank",
    fix: "certain",
  },
  "no-break-space": {
    severities: ["error", "warning"],
    what: "a no-break space stands between items",
    why: "sendmail does not take it for a blank: it reads no further.",
    mend: "write an ordinary blank",
    fix: "certain",
  },
  "port-in-key": {
    severities: ["error"],
    what: "the key names a port",
    why: "sendmail asks for the server's name and address, never for a port.",
    mend: "remove the colon and the port",
  },
  "brackets-around-name": {
    severities: ["warning"],
    what: "the name of the server stands in brackets",
    why: "sendmail drops the brackets about a name before it asks; it keeps them about an address.",
    mend: "write the name without brackets",
  },
  "brackets-around-address": {
    severities: ["note"],
    what: "the address of the server stands in brackets",
    why: "The key is found where the relay is given to sendmail in the same brackets; the address without them is found either way.",
    mend: "leave it so where the relay is configured as this address in brackets",
  },
  "brackets-win": {
    severities: ["note"],
    what: "the same address is there with and without brackets",
    detail: "the other is {other}",
    why: "Where the relay is given in brackets, that entry wins.",
    mend: "keep one of them, unless they are to differ",
  },
  "trailing-dot": {
    severities: ["warning"],
    what: "the name of the server ends with a dot",
    why: "sendmail asks for the name without it.",
    mend: "remove the dot",
  },
  "pattern-key": {
    severities: ["error"],
    what: "the key is a pattern",
    why: "sendmail asks for whole names and addresses: neither stars nor leading dots match anything.",
    mend: "write an entry for each server",
  },
  "network-key": {
    severities: ["error"],
    what: "the key is a network, or part of an address",
    why: "sendmail asks for the whole address: no network is tried.",
    mend: "write an entry for each server",
  },
  "domain-key": {
    severities: ["note"],
    what: "the name in the key looks like that of a domain",
    why: "Only the server of this very name finds it: sendmail tries no parent domains.",
    mend: "name the server itself, unless this is its name",
  },
  "ipv6-key": {
    severities: ["note"],
    what: "the key is an IPv6 address",
    why: "It has to be written as sendmail writes it: IPv6: before it, and no zeroes left out otherwise than sendmail does.",
    mend: "compare with the relay= of sendmail's log, or name the server",
  },
  "malformed-key": {
    severities: ["error"],
    what: "what follows AuthInfo: is neither a name nor an address",
    why: "sendmail asks for names and addresses of servers.",
    mend: "write the server's name as sendmail's log has it behind relay=",
  },
  "non-ascii-key": {
    severities: ["warning"],
    what: "the key holds bytes that are not ASCII",
    why: "Names of servers are asked for as the DNS has them.",
    mend: "write the name in its ASCII form (xn--…)",
  },
  "key-too-long": {
    severities: ["error"],
    what: "the key is longer than 256 bytes",
    why: "sendmail cuts what it asks for at 256 bytes, and never finds it.",
    mend: "shorten the key",
  },
  "duplicate-key": {
    severities: ["warning"],
    what: "an earlier entry has the same key",
    detail: "{first}; {effect}",
    why: "makemap refuses the second one (exit code 65), unless it is told -r or -d.",
    mend: "remove one of them",
  },
  "keys-fold-together": {
    severities: ["warning"],
    what: "an earlier entry has the same key but for upper and lower case",
    detail: "{first}; {effect}",
    why: "makemap stores keys in lower case, and refuses the second one (exit code 65), unless it is told -r or -d.",
    mend: "remove one of them",
  },
  "mixed-nul": {
    severities: ["error"],
    what: "some keys of the map end with a NUL and some do not",
    detail: "{with} with, {without} without",
    why: "sendmail keeps to the kind that it finds first, and misses the others.",
    mend: "build the map anew in one run, with -N or without",
  },
  "nul-differs": {
    severities: ["note"],
    what: "of key and value one ends with a NUL and the other does not",
    why: "makemap stores both with it, or both without.",
    mend: "build the map anew with makemap",
  },

  // The value.
  "value-no": {
    severities: ["error"],
    what: "the value is no",
    why: "sendmail logs “authinfo failed” and sends without authentication; so it does without an entry.",
    mend: "write the items, or remove the entry",
  },
  "value-temp": {
    severities: ["error"],
    what: "the value begins with temp",
    why: "sendmail takes it for a temporary failure: mail is deferred.",
    mend: "write the items",
  },
  "value-question": {
    severities: ["error", "warning"],
    what: "the value is a question mark",
    why: "sendmail takes it for no entry, and goes on to the next one it asks for, AuthInfo: in the end.",
    mend: "write the items, or remove the entry",
  },
  "dollar-hash": {
    severities: ["error"],
    what: "the value begins with $#",
    why: "The ruleset puts it before the value itself; a second one makes sendmail send without authentication.",
    mend: "remove it",
    fix: "certain",
  },
  "empty-value": {
    severities: ["error"],
    what: "there is nothing to read in the value",
    why: "sendmail sends without authentication.",
    mend: "write the items, or remove the entry",
  },
  "unquoted-item": {
    severities: ["error"],
    what: "the first item does not begin with a quote",
    why: "sendmail reads no further: mail is sent without authentication.",
    mend: 'put each item in quotes: "U:user" "P:password"',
  },
  "ignored-text": {
    severities: ["warning", "error"],
    what: "sendmail stops reading here",
    why: "Items end where something stands outside of quotes: it and all that follows is ignored, without a word.",
    mend: "put each item in quotes, and remarks on lines of their own",
  },
  "single-quotes": {
    severities: ["error", "warning"],
    what: "an item stands in single quotes",
    why: "Only double quotes count: sendmail reads no further.",
    mend: "write double quotes",
    fix: "certain",
  },
  "typographic-quotes": {
    severities: ["error", "warning"],
    what: "typographic quotes stand for those of ASCII",
    why: "Only the double quote of ASCII counts: these end the reading, or are letters of a text.",
    mend: "write the double quote of ASCII",
    fix: "certain",
  },
  "typographic-quotes-in-text": {
    severities: ["note", "warning"],
    what: "the text of an item holds typographic quotes",
    why: "They are sent as they stand.",
    mend: "leave them where they are part of the text",
  },
  "inner-quote": {
    severities: ["warning", "error"],
    what: "a quote within an item ends it",
    why: "The text is what stands before the quote; the rest is ignored, without a word.",
    mend: 'write the item in base64: "P=…"',
  },
  backslash: {
    severities: ["warning"],
    what: "an item holds a backslash",
    why: "It escapes nothing: it is sent as it stands, together with a quote behind it.",
    mend: "remove it, or write the item in base64 where it is part of the text",
  },
  "unclosed-quote": {
    severities: ["warning", "error"],
    what: "the last quote is missing",
    why: "sendmail adds it at the end of the line: blanks there, and items that were meant to follow, become part of the text.",
    mend: "write the quote",
    fix: "certain",
  },
  "unknown-item": {
    severities: ["error"],
    what: "an item has a letter that is none of U, I, P, R and M",
    why: "sendmail gives the whole entry up, and sends without authentication.",
    mend: "write U: for the authorization id, I: for the authentication id, P: for the password, R: for the realm, M: for mechanisms",
  },
  "bad-delimiter": {
    severities: ["error"],
    what: "neither a colon nor an equals sign stands behind the letter of an item",
    why: "sendmail gives the whole entry up, and sends without authentication.",
    mend: "write a colon for text, an equals sign for base64",
  },
  "short-item": {
    severities: ["error"],
    what: "an item is nothing but quotes and a letter",
    why: "sendmail gives the whole entry up, and sends without authentication.",
    mend: "complete the item, or remove it",
  },
  "too-many-items": {
    severities: ["warning", "error"],
    what: "there are more than seven items",
    why: "sendmail ignores the eighth and all that follow.",
    mend: "remove what is not needed",
  },
  "repeated-item": {
    severities: ["warning"],
    what: "an item is there a second time",
    detail: "{tag}",
    why: "The last one counts.",
    mend: "remove one of them",
  },
  "realm-without-effect": {
    severities: ["note"],
    what: "the realm has no effect",
    why: "No mechanism of Cyrus SASL 2.1 was seen to use it; servers tell the user by the name in I: or U:.",
    mend: "remove it, or write the user as user@realm",
  },
  "missing-password": {
    severities: ["error"],
    what: "there is no item for the password",
    why: "sendmail gives the entry up, and sends without authentication.",
    mend: 'add "P:password"',
  },
  "missing-user": {
    severities: ["error"],
    what: "there is neither U: nor I:",
    why: "sendmail gives the entry up, and sends without authentication.",
    mend: 'add "I:user"',
  },
  "empty-password": {
    severities: ["error"],
    what: "the password is empty",
    why: "sendmail sends without authentication, and logs nothing.",
    mend: "write the password",
  },
  "empty-user": {
    severities: ["error", "warning"],
    what: "the user is empty",
    why: "Without an authentication id sendmail cannot begin: mail goes without authentication, or is deferred.",
    mend: "write the user, or remove the item",
  },
  "bad-base64": {
    severities: ["error"],
    what: "the text behind the equals sign is not base64",
    why: "sendmail gives the entry up, and sends without authentication; it takes base64 with its padding alone.",
    mend: "write a colon for plain text, or encode it: printf %s TEXT | base64",
  },
  "newline-in-base64": {
    severities: ["warning"],
    what: "the text in base64 ends with a newline",
    why: "It is sent with the newline; echo adds one to what it hands to base64.",
    mend: "encode it anew: printf %s TEXT | base64",
  },
  "base64-not-text": {
    severities: ["warning"],
    what: "what stands in base64 is no text",
    why: "It is sent decoded, up to its first NUL. It may be plain text that happens to be base64 as well.",
    mend: "write a colon in place of the equals sign, if it is plain text",
  },
  "base64-in-plain": {
    severities: ["warning"],
    what: "a plain text looks like base64",
    why: "Behind a colon it is sent as it stands.",
    mend: "write an equals sign in place of the colon, if it is base64",
  },
  "percent-expansion": {
    severities: ["warning", "error"],
    what: "sendmail expands a % with a digit",
    why: "%0 becomes the key that was asked for; %1 to %9 are removed.",
    mend: "write %% for each %, or the item in base64",
    fix: "certain",
  },
  "doubled-percent": {
    severities: ["note"],
    what: "%% is sent as one %",
    why: "sendmail expands values that a ruleset looks up.",
    mend: "leave it where one % is meant; write %%%% for two",
  },
  "comma-in-mechanisms": {
    severities: ["error", "warning"],
    what: "mechanisms are divided by something else than blanks",
    why: "sendmail takes names with a comma, a semicolon or a tab between them for one: where no other is left, mail is deferred.",
    mend: "divide them by blanks",
    fix: "certain",
  },
  "unknown-mechanism": {
    severities: ["error", "warning"],
    what: "there is no such mechanism",
    why: "Without one that client and server share, mail is deferred.",
    mend: "write names of mechanisms: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-256 …",
  },
  "unusable-mechanism": {
    severities: ["error"],
    what: "none of the mechanisms works with a password",
    why: "sendmail cannot begin with any of them for want of a ticket or a certificate, and mail is deferred.",
    mend: "name one that does: PLAIN, LOGIN, CRAM-MD5, DIGEST-MD5, or one of SCRAM",
  },
  "uncommon-mechanism": {
    severities: ["warning"],
    what: "none of the mechanisms is DIGEST-MD5, CRAM-MD5, PLAIN or LOGIN",
    why: "Where the server does not offer what is named, mail is deferred, though both may share another one.",
    mend: "leave it so where the server is known to offer one of them",
  },
  "empty-mechanisms": {
    severities: ["warning", "error"],
    what: "the list of mechanisms is empty",
    why: "sendmail then takes its own AuthMechanisms, as without the item; where blanks are all there is, mail is deferred.",
    mend: "name mechanisms, or remove the item",
  },
  "blank-at-end": {
    severities: ["warning", "error"],
    what: "the text of an item begins or ends with a blank",
    why: "A password is sent with the blank; of a name the SASL library takes it away, or refuses the name.",
    mend: "remove the blank, unless it is meant",
  },
  "altered-byte": {
    severities: ["warning"],
    what: "the text of an item holds the byte FF",
    why: "sendmail reads the byte 7F in its place.",
    mend: "write the item in base64, or the text in UTF-8",
  },
  "text-too-long": {
    severities: ["error"],
    what: "the value is more than sendmail can take apart",
    why: "It gives the value up, and sends without authentication.",
    mend: "shorten it: 252 bytes of text is the most that an item holds",
  },
  "not-authenticated": {
    severities: ["error"],
    what: "sendmail does not authenticate with this entry",
    detail: "{outcome}",
    why: "What it does with the value was predicted as recorded runs of sendmail show it.",
    mend: 'write "U:user" "I:user" "P:password"',
  },

  // The findings.
  "more-findings": {
    severities: ["note"],
    what: "there are more findings of a kind than are listed",
    detail: "{count} more of {code}, {severity}",
    why: "A thousand of a code are listed for each file.",
    mend: "mend those that are listed, and look again",
  },
};

/** What is known of a place besides: never a secret. */
export type FindingArguments = Readonly<Record<string, string | number>>;

/** What was found, in a sentence without a full stop. */
export function findingText(code: LintCode, args: FindingArguments = {}): string {
  const { what, detail } = LINT_RULES[code];
  return detail === undefined ? what : `${what} (${fill(detail, args)})`;
}

/** What to do about it. */
export function mendText(code: LintCode, args: FindingArguments = {}): string {
  return fill(LINT_RULES[code].mend, args);
}

function fill(text: string, args: FindingArguments): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(args[name] ?? "…"));
}
