/**
 * Source texts with one thing wrong in each, and what lint is to find in them:
 * "line:column severity code", with a star where --fix mends it. One character
 * a byte.
 */
import type { LintOptions } from "#src/authinfo/lint/options.js";
import type { LintCode } from "#src/authinfo/lint/rules.js";

export interface LintExample {
  readonly code: LintCode;
  readonly text: string;
  readonly finds: readonly string[];
  readonly options?: LintOptions;
  /** What --fix makes of it. */
  readonly fixed?: string;
}

const GOOD = '"U:user" "P:secret"';

/** Of characters, as UTF-8. */
const utf8 = (text: string): string => Buffer.from(text).toString("latin1");

const example = (
  code: LintCode,
  text: string,
  finds: string | readonly string[],
  more: Partial<Pick<LintExample, "options" | "fixed">> = {},
): LintExample => ({ code, text, finds: typeof finds === "string" ? [finds] : finds, ...more });

export const LINT_EXAMPLES: readonly LintExample[] = [
  // The text.
  example("utf8-byte-order-mark", `\xef\xbb\xbfAuthInfo:relay ${GOOD}\n`, "1:1 error utf8-byte-order-mark*", {
    fixed: `AuthInfo:relay ${GOOD}\n`,
  }),
  example("utf8-byte-order-mark", `\xef\xbb\xbf# remark\nAuthInfo:relay ${GOOD}\n`, "1:1 warning utf8-byte-order-mark*", {
    fixed: `# remark\nAuthInfo:relay ${GOOD}\n`,
  }),
  example("utf16-text", "\xff\xfeA\0u\0t\0h\0\n\0", "1:1 error utf16-text"),
  example("crlf", `# remark\r\n\r\nAuthInfo:relay ${GOOD}\r\n`, ["1:9 warning crlf*", "2:1 warning leading-blank*"], {
    fixed: `# remark\n\nAuthInfo:relay ${GOOD}\n`,
  }),
  example("stray-carriage-return", `# remark\r# another\nAuthInfo:relay ${GOOD}\n`, "1:9 warning stray-carriage-return"),
  example("nul-byte", `AuthInfo:relay ${GOOD}\0\n`, "1:35 error nul-byte"),
  example("nul-byte", "# remark\0\n", "1:9 warning nul-byte"),
  example("nul-byte", `AuthInfo:relay ${GOOD}\0`, "1:35 error nul-byte"),
  example("line-too-long", `AuthInfo:relay ${GOOD} # ${"x".repeat(1000)}\n`, "1:1 error line-too-long"),
  example("line-too-long", `# ${"x y ".repeat(500)}\n`, "1:1 warning line-too-long"),
  example("leading-blank", ` AuthInfo:relay ${GOOD}\n`, "1:1 error leading-blank*", { fixed: `AuthInfo:relay ${GOOD}\n` }),
  example("leading-blank", " \t\n  # remark\n", ["1:1 warning leading-blank*", "2:1 warning leading-blank*"], { fixed: "\n# remark\n" }),
  example("leading-blank", 'AuthInfo:relay "U:user"\n  "P:secret"\n', ["1:16 error missing-password", "2:1 error leading-blank"]),
  example("missing-value", "AuthInfo:relay\n", "1:1 error missing-value"),

  // The key.
  example("missing-tag", `relay ${GOOD}\n`, "1:1 error missing-tag"),
  example("missing-tag", "Connect:192.0.2 RELAY\n", "1:1 note missing-tag"),
  example("missing-tag", "spammer.example REJECT\n", "1:1 note missing-tag"),
  example("tag-without-colon", `AuthInfo ${GOOD}\n`, "1:1 error tag-without-colon"),
  example("tag-without-colon", `AuthInfo=relay ${GOOD}\n`, "1:1 error tag-without-colon"),
  example("tag-case", `authinfo:relay ${GOOD}\n`, "1:1 error tag-case", { options: { keepCase: true } }),
  example("server-case", `AuthInfo:Relay ${GOOD}\n`, "1:10 warning server-case", { options: { keepCase: true } }),
  example("quoted-key", `"AuthInfo:relay" ${GOOD}\n`, "1:1 error quoted-key"),
  example("missing-blank-after-key", `AuthInfo:relay${GOOD}\n`, "1:15 error missing-blank-after-key*", {
    fixed: `AuthInfo:relay ${GOOD}\n`,
  }),
  example("missing-blank-after-key", `AuthInfo:${GOOD}\n`, "1:10 error missing-blank-after-key"),
  example(
    "missing-blank-after-key",
    `AuthInfo: ${GOOD}\nAuthInfo:relay ${GOOD}\nAuthInfo:Relay${GOOD}\n`,
    "3:15 error missing-blank-after-key",
  ),
  example(
    "missing-blank-after-key",
    `AuthInfo:relay${GOOD}\nAuthInfo:relay${GOOD.replace("user", "other")}\n`,
    ["1:15 error missing-blank-after-key*", "2:15 error missing-blank-after-key"],
    { fixed: `AuthInfo:relay ${GOOD}\nAuthInfo:relay${GOOD.replace("user", "other")}\n` },
  ),
  example(
    "missing-blank-after-key",
    `AuthInfo:relay'U:user' 'P:secret'\n`,
    ["1:15 error missing-blank-after-key*", "1:15 error single-quotes*"],
    {
      fixed: `AuthInfo:relay ${GOOD}\n`,
    },
  ),
  example("missing-blank-after-key", `AuthInfo:re lay${GOOD}\n`, "1:13 error unquoted-item"),
  example("missing-blank-after-key", `AuthInfo:re/lay${GOOD}\n`, "1:16 error missing-blank-after-key"),
  example("blank-after-tag", `AuthInfo: relay ${GOOD}\n`, "1:11 error blank-after-tag"),
  example("no-break-space-in-key", `AuthInfo:relay\xc2\xa0${GOOD}\n`, "1:15 error no-break-space-in-key*", {
    fixed: `AuthInfo:relay ${GOOD}\n`,
  }),
  example("no-break-space-in-key", `AuthInfo:relay ${GOOD}\nAuthInfo:relay\xc2\xa0${GOOD}\n`, "2:15 error no-break-space-in-key"),
  example("utf8-byte-order-mark", `\xef\xbb\xbfAuthInfo:relay ${GOOD}\nAuthInfo:relay ${GOOD}\n`, [
    "1:1 error utf8-byte-order-mark",
    "2:1 warning duplicate-key",
  ]),
  example("no-break-space", 'AuthInfo:relay "U:user"\xc2\xa0"P:secret"\n', "1:24 error no-break-space*", {
    fixed: `AuthInfo:relay ${GOOD}\n`,
  }),
  example("port-in-key", `AuthInfo:[relay]:587 ${GOOD}\n`, "1:17 error port-in-key"),
  example("port-in-key", `AuthInfo:relay:587 ${GOOD}\n`, "1:15 error port-in-key"),
  example("port-in-key", `AuthInfo:[192.0.2.1]:25 ${GOOD}\n`, "1:21 error port-in-key"),
  example("brackets-around-name", `AuthInfo:[relay.mail.example] ${GOOD}\n`, "1:10 warning brackets-around-name"),
  example("brackets-around-address", `AuthInfo:[192.0.2.1] ${GOOD}\n`, "1:10 note brackets-around-address"),
  example("brackets-win", `AuthInfo:[192.0.2.1] ${GOOD}\nauthinfo:192.0.2.1 ${GOOD}\n`, "1:10 note brackets-win"),
  example("trailing-dot", `AuthInfo:relay.mail.example. ${GOOD}\n`, "1:28 warning trailing-dot"),
  example("pattern-key", `AuthInfo:.mail.example ${GOOD}\n`, "1:10 error pattern-key"),
  example("pattern-key", `AuthInfo:*.mail.example ${GOOD}\n`, "1:10 error pattern-key"),
  example("network-key", `AuthInfo:192.0.2 ${GOOD}\n`, "1:10 error network-key"),
  example("network-key", `AuthInfo:192.0.2.0/24 ${GOOD}\n`, "1:10 error network-key"),
  example("network-key", `AuthInfo:[192.0.2] ${GOOD}\n`, "1:10 error network-key"),
  example("domain-key", `AuthInfo:mail.example ${GOOD}\n`, "1:10 note domain-key"),
  example("ipv6-key", `AuthInfo:IPv6:2001:db8::1 ${GOOD}\n`, "1:10 note ipv6-key"),
  example("ipv6-key", `AuthInfo:[IPv6:2001:db8::1] ${GOOD}\n`, "1:10 note ipv6-key"),
  example("malformed-key", `AuthInfo:user@relay ${GOOD}\n`, "1:10 error malformed-key"),
  example("malformed-key", `AuthInfo:P:secret "U:user"\n`, ["1:10 error malformed-key", "1:19 error missing-password"]),
  example("non-ascii-key", utf8(`AuthInfo:m\u{fc}hle.mail.example ${GOOD}\n`), "1:10 warning non-ascii-key"),
  example("key-too-long", `AuthInfo:${"x".repeat(248)} ${GOOD}\n`, "1:10 error key-too-long"),
  example("duplicate-key", `AuthInfo:relay ${GOOD}\nAuthInfo:relay ${GOOD}\n`, "2:1 warning duplicate-key"),
  example("keys-fold-together", `AuthInfo:relay ${GOOD}\nAuthInfo:Relay ${GOOD}\n`, "2:1 warning keys-fold-together"),

  // The value.
  example("value-no", "AuthInfo:relay no\n", "1:16 error value-no"),
  example("value-temp", "AuthInfo:relay temporarily closed\n", "1:16 error value-temp"),
  example("value-question", "AuthInfo:relay ?\n", "1:16 error value-question"),
  example("value-question", `AuthInfo:relay ?\nAuthInfo: ${GOOD}\n`, "1:16 warning value-question"),
  example("value-question", "AuthInfo:relay ?\nAuthInfo: ?\n", ["1:16 error value-question", "2:11 error value-question"]),
  example("dollar-hash", `AuthInfo:relay $# ${GOOD}\n`, "1:16 error dollar-hash*", { fixed: `AuthInfo:relay ${GOOD}\n` }),
  example("empty-value", "AuthInfo:relay\n", "1:15 error empty-value", { options: { allowEmptyValue: true } }),
  example("unquoted-item", "AuthInfo:relay U:user P:secret\n", "1:16 error unquoted-item"),
  example("unquoted-item", 'AuthInfo:relay U:user" "P:secret"\n', "1:16 error unquoted-item"),
  example("ignored-text", `AuthInfo:relay ${GOOD} M:PLAIN\n`, "1:36 warning ignored-text"),
  example("ignored-text", 'AuthInfo:relay "U:user", "P:secret"\n', "1:23 error inner-quote"),
  example("ignored-text", 'AuthInfo:relay "U:user" , "P:secret"\n', "1:25 error ignored-text"),
  example("single-quotes", "AuthInfo:relay 'U:user' 'P:secret'\n", "1:16 error single-quotes*", { fixed: `AuthInfo:relay ${GOOD}\n` }),
  example("single-quotes", `AuthInfo:relay ${GOOD} 'M:PLAIN'\n`, "1:36 warning single-quotes*", {
    fixed: `AuthInfo:relay ${GOOD} "M:PLAIN"\n`,
  }),
  example("single-quotes", `AuthInfo:relay 'U:user' 'P:sec'ret'\n`, "1:16 error single-quotes"),
  example(
    "typographic-quotes",
    utf8("AuthInfo:relay \u{201c}U:user\u{201d} \u{201c}P:it\u{2019}s\u{201d}\n"),
    "1:16 error typographic-quotes*",
    {
      fixed: utf8('AuthInfo:relay "U:user" "P:it\u{2019}s"\n'),
    },
  ),
  example(
    "typographic-quotes",
    utf8("AuthInfo:relay \u{2018}U:user\u{2019} \u{2018}P:secret\u{2019}\n"),
    "1:16 error typographic-quotes*",
    {
      fixed: `AuthInfo:relay ${GOOD}\n`,
    },
  ),
  example("typographic-quotes-in-text", utf8('AuthInfo:relay "U:user" "P:it\u{2019}s"\n'), "1:30 note typographic-quotes-in-text"),
  example(
    "typographic-quotes-in-text",
    utf8('AuthInfo:relay "U:user" "P:\u{201c}secret\u{201d}"\n'),
    "1:28 warning typographic-quotes-in-text",
  ),
  example(
    "typographic-quotes",
    utf8(`AuthInfo:relay "U:user\u{201d} "P:secret"\n`),
    ["1:19 warning blank-at-end", "1:23 error typographic-quotes*", "1:27 error inner-quote"],
    {
      fixed: `AuthInfo:relay ${GOOD}\n`,
    },
  ),
  example("inner-quote", 'AuthInfo:relay "U:user" "P:sec"ret"\n', "1:31 warning inner-quote"),
  example("backslash", 'AuthInfo:relay "U:user" "P:sec\\"ret"\n', "1:31 warning backslash"),
  example("unclosed-quote", 'AuthInfo:relay "U:user" "P:secret\n', "1:34 warning unclosed-quote*", { fixed: `AuthInfo:relay ${GOOD}\n` }),
  example("unclosed-quote", 'AuthInfo:relay "U:user" "P:secret M:PLAIN\n', "1:42 warning unclosed-quote"),
  example("unclosed-quote", 'AuthInfo:relay "U:user P:secret\n', ["1:16 error missing-password", "1:32 error unclosed-quote"]),
  example("unknown-item", 'AuthInfo:relay "X:user" "P:secret"\n', "1:17 error unknown-item"),
  example("unknown-item", 'AuthInfo:relay " U:user" "P:secret"\n', "1:17 error unknown-item"),
  example("bad-delimiter", 'AuthInfo:relay "U user" "P:secret"\n', "1:18 error bad-delimiter"),
  example("short-item", 'AuthInfo:relay "U:user" "P"\n', "1:25 error short-item"),
  example("too-many-items", `AuthInfo:relay ${GOOD} "M:PLAIN" "U:a" "U:b" "U:c" "U:d" "U:e"\n`, [
    "1:46 warning repeated-item",
    "1:52 warning repeated-item",
    "1:58 warning repeated-item",
    "1:64 warning repeated-item",
    "1:70 warning too-many-items",
  ]),
  example("repeated-item", `AuthInfo:relay "U:a" ${GOOD}\n`, "1:22 warning repeated-item"),
  example("realm-without-effect", `AuthInfo:relay ${GOOD} "R:example"\n`, "1:36 note realm-without-effect"),
  example("missing-password", 'AuthInfo:relay "U:user"\n', "1:16 error missing-password"),
  example("missing-user", 'AuthInfo:relay "P:secret"\n', "1:16 error missing-user"),
  example("empty-password", 'AuthInfo:relay "U:user" "P:"\n', "1:25 error empty-password"),
  example("empty-user", 'AuthInfo:relay "U:" "P:secret"\n', "1:16 error empty-user"),
  example("empty-user", 'AuthInfo:relay "U:" "I:user" "P:secret"\n', "1:16 warning empty-user"),
  example("empty-user", 'AuthInfo:relay "U:user" "I:" "P:secret"\n', "1:25 error empty-user"),
  example("bad-base64", 'AuthInfo:relay "U:user" "P=secret"\n', "1:34 error bad-base64"),
  example("bad-base64", 'AuthInfo:relay "U:user" "P=se*ret=="\n', "1:30 error bad-base64"),
  example("base64-in-plain", 'AuthInfo:relay "U:user" "P:c2VjcmV0"\n', "1:27 warning base64-in-plain"),
  example("newline-in-base64", 'AuthInfo:relay "U:user" "P=c2VjcmV0Cg=="\n', "1:27 warning newline-in-base64"),
  example("base64-not-text", 'AuthInfo:relay "U:user" "P=password"\n', "1:27 warning base64-not-text"),
  example("base64-not-text", 'AuthInfo:relay "U:user" "P=c2VjAHJldA=="\n', "1:27 warning base64-not-text"),
  example("percent-expansion", 'AuthInfo:relay "U:user" "P:100%1"\n', "1:31 warning percent-expansion*", {
    fixed: 'AuthInfo:relay "U:user" "P:100%%1"\n',
  }),
  example("percent-expansion", 'AuthInfo:relay "U:user" "P:%%100%1"\n', ["1:28 note doubled-percent", "1:33 warning percent-expansion"]),
  example("percent-expansion", 'AuthInfo:relay "U:user" "P:%5"\n', ["1:25 error empty-password", "1:28 error percent-expansion*"], {
    fixed: 'AuthInfo:relay "U:user" "P:%%5"\n',
  }),
  example("doubled-percent", 'AuthInfo:relay "U:user" "P:100%%"\n', "1:31 note doubled-percent"),
  example("comma-in-mechanisms", `AuthInfo:relay ${GOOD} "M:LOGIN,PLAIN"\n`, "1:44 error comma-in-mechanisms*", {
    fixed: `AuthInfo:relay ${GOOD} "M:LOGIN PLAIN"\n`,
  }),
  example("comma-in-mechanisms", `AuthInfo:relay ${GOOD} "M:CRAM-MD5 LOGIN, PLAIN,"\n`, "1:53 warning comma-in-mechanisms*", {
    fixed: `AuthInfo:relay ${GOOD} "M:CRAM-MD5 LOGIN PLAIN"\n`,
  }),
  example("unknown-mechanism", `AuthInfo:relay ${GOOD} "M:PLAYN"\n`, "1:36 error unknown-mechanism"),
  example("unknown-mechanism", `AuthInfo:relay ${GOOD} "M:PLAYN LOGIN"\n`, "1:36 warning unknown-mechanism"),
  example("unusable-mechanism", `AuthInfo:relay ${GOOD} "M:GSSAPI EXTERNAL"\n`, "1:36 error unusable-mechanism"),
  example("uncommon-mechanism", `AuthInfo:relay ${GOOD} "M:SCRAM-SHA-256"\n`, "1:36 warning uncommon-mechanism"),
  example("altered-byte", 'AuthInfo:relay "U:user" "P:sec\xffret"\n', "1:31 warning altered-byte"),
  example("empty-mechanisms", `AuthInfo:relay ${GOOD} "M:"\n`, "1:36 warning empty-mechanisms"),
  example("empty-mechanisms", `AuthInfo:relay ${GOOD} "M: "\n`, "1:36 error empty-mechanisms"),
  example("blank-at-end", 'AuthInfo:relay "U:user" "P: secret"\n', "1:28 warning blank-at-end"),
  example("text-too-long", `AuthInfo:relay "U:user" "P:${"x".repeat(253)}"\n`, "1:25 error text-too-long"),
];

/** Texts with nothing wrong. */
export const GOOD_TEXTS: readonly string[] = [
  "",
  "\n",
  "# remark\n\n",
  `AuthInfo: ${GOOD}\n`,
  `AuthInfo:relay\t${GOOD}`,
  `authinfo:RELAY.Mail.Example ${GOOD}\n`,
  `AuthInfo:192.0.2.1 "U:azid" "I:user" "P:a(b)c<d>@,;:e#f$g" "M:LOGIN PLAIN"\n`,
  `AuthInfo:relay "u:user""p=c2VjcmV0""m:digest-md5"\n`,
  'AuthInfo:relay "U:user" "P:50%"\n',
  'AuthInfo:relay "U:user@mail.example" "P:5% off"\n',
];

/** A password that is nothing else. */
export const SECRET = "S3cret-PaSSword-of-nobody";

/** Texts with the password in every place where a mistake may put it. */
export const SECRET_TEXTS: readonly string[] = [
  `AuthInfo:relay "U:user" "P:${SECRET}"\n`,
  `AuthInfo:relay"P:${SECRET}" "U:user"\n`,
  `AuthInfo:"P:${SECRET}" "U:user"\n`,
  `AuthInfo:relay'P:${SECRET}' 'U:user'\n`,
  `AuthInfo:P:${SECRET} "U:user"\n`,
  `AuthInfo:P=${SECRET} "U:user"\n`,
  `AuthInfo:relayP:${SECRET} "U:user"\n`,
  `AuthInfo:relay:${SECRET} "U:user"\n`,
  `AuthInfo:user:${SECRET}@relay "U:user"\n`,
  `AuthInfo:relay,P:${SECRET},U:user x\n`,
  utf8(`AuthInfo:relay\u{201c}P:${SECRET}\u{201d} \u{201c}U:user\u{201d}\n`),
  utf8(`AuthInfo:relay\u{a0}"P:${SECRET}"\u{a0}"U:user"\n`),
  utf8(`AuthInfo:relay "U:user" \u{201c}P:${SECRET}\u{201d}\n`),
  `\xef\xbb\xbfAuthInfo:relay"P:${SECRET}"\n`,
  `AuthInfo "P:${SECRET}" "U:user"\n`,
  `AuthInfo=P:${SECRET} "U:user"\n`,
  `"P:${SECRET}" "U:user"\n`,
  `P:${SECRET} "U:user"\n`,
  `P:${SECRET}\n`,
  `${SECRET}\n`,
  `${SECRET} x\n`,
  `"AuthInfo:relay" "U:user" "P:${SECRET}\n`,
  ` "P:${SECRET}"\n`,
  `AuthInfo:relay "U:user"\n\t"P:${SECRET}"\n`,
  `AuthInfo:relay P:${SECRET} U:user\n`,
  `AuthInfo: ${SECRET}\n`,
  `AuthInfo: ${SECRET} "U:user"\n`,
  `AuthInfo:relay "U:user" "P:x"${SECRET}"\n`,
  `AuthInfo:relay "U:user" "P=${SECRET}"\n`,
  `AuthInfo:relay "U:user" "X:${SECRET}"\n`,
  `AuthInfo:relay "U:user" "P ${SECRET}"\n`,
  `AuthInfo:relay "U:user" "P:%1${SECRET}%%"\n`,
  `AuthInfo:relay "U:user" "P:x" "M:${SECRET},${SECRET}"\n`,
  `AuthInfo:relay "U:user" "P:x" "R:${SECRET}"\n`,
  `AuthInfo:relay "U:user" 'P:${SECRET}'\n`,
  `AuthInfo:relay $# "U:user" "P:${SECRET}"\n`,
  `AuthInfo:relay temp${SECRET}\n`,
  `AuthInfo:relay "U:user" "P:${SECRET}\0"\n`,
  `AuthInfo:relay "U:user" "P:${SECRET}"\r\nAuthInfo:relay "U:user" "P:${SECRET}x"\r\n`,
  `AuthInfo:relay "U:user" "P:${Buffer.from(SECRET).toString("base64")}"\n`,
  `AuthInfo:relay "U:user" "P:${SECRET.repeat(50)}"\n`,
];
