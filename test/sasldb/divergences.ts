/**
 * Where tssaslpasswd and tssasldblist differ from a recorded run of
 * saslpasswd2 and sasldblistusers2 on purpose, and how: what is other than
 * recorded. docs/compatibility.md gives the reasons.
 */
import type { Observed } from "../support/sasl-cases.ts";

type Divergence = Partial<Observed> & {
  /** What the seeds begin with. */
  readonly seedPrefix?: string;
  /** Properties of alice that have another value, or are gone. */
  readonly changed?: Readonly<Record<string, string | null>>;
};

const hex = (text: string): string => Buffer.from(text).toString("hex");
const stored = (user: string, password: string): Observed["records"] => [[hex(`${user}\0mail.example.com\0userPassword`), hex(password)]];
const each = (ids: readonly string[], divergence: Divergence): [string, Divergence][] => ids.map((id) => [id, divergence]);

/** A line with the reason, and then the recorded one. */
const reason = (last: string): Divergence => ({ stderr: new RegExp(`^tssaslpasswd: (?!warning: ).+\\ntssaslpasswd: ${last}\\n$`) });
const FAILED: Divergence = { ...reason("generic failure"), exit: 1 };
const LEGACY = { "cmusaslsecretCRAM-MD5": null, "cmusaslsecretDIGEST-MD5": null, cmusaslsecretPLAIN: null };
const EMPTY: Divergence = { file: { mode: "0640", size: 12288 }, records: [] };
const DOUBTED: Divergence = { stderr: /^tssaslpasswd: warning: (the password|clients that prepare passwords) .+\n$/ };
const KEPT: Divergence = { stderr: /^tssaslpasswd: warning: \S+ keeps \S.*\n$/ };
const LEFT_OUT_AND_KEPT: Divergence = {
  stderr: /^tssaslpasswd: warning: .+ mech_list leaves out .+\ntssaslpasswd: warning: .+ keeps .+\n$/,
};
const LEFT_OUT: Divergence = { stderr: /^tssaslpasswd: warning: \S+saslpasswd\.conf: mech_list leaves out \S.*\n$/ };
const INVALID = /^tssaslpasswd: .+\ntssaslpasswd: invalid parameter supplied\n$/;
const REFUSED: Divergence = { exit: 7, stderr: INVALID, file: null, records: null };
const UNLISTED: Divergence = { exit: 1, stderr: /^(tssasldblist|sasldblistusers): .+\nlistusers failed\n$/ };
const MALFORMED: Divergence = { exit: 1, stderr: /^(tssasldblist: .+malformed key.+\n)+$/ };
const NO_MDA: Divergence = { exit: 1, stderr: /^tssaslpasswd: .*otp_mda.*\n/, file: null, records: null };
const LONG_OPTION = { exit: 0, stderr: "" };

export const DIVERGENCES: ReadonlyMap<string, Divergence> = new Map<string, Divergence>([
  ...each(["a12-longhelp"], { ...LONG_OPTION, stdout: /^Usage: tssaslpasswd / }),
  ...each(["l112-long-help"], { ...LONG_OPTION, stdout: /^Usage: tssasldblist / }),
  ...each(["a132-long-version"], { ...LONG_OPTION, stdout: /^tssaslpasswd \d/ }),

  // All of standard input.
  ...each(["b21-chunks"], { records: stored("alice", "firstsecond") }),
  ...each(["b118-more-after-the-newline-later"], { ...DOUBTED, records: stored("alice", "pw\nrest") }),
  ...each(["b119-newline-first-password-later"], {
    ...DOUBTED,
    exit: 0,
    file: { mode: "0640", size: 12288 },
    records: stored("alice", "\npw"),
  }),
  ...each(["b120-three-writes-with-p"], { records: stored("alice", "abc") }),
  ...each(["b12-closed", "b121-closed-with-p"], { exit: 7, stderr: "tssaslpasswd: invalid parameter supplied\n" }),
  ...each(
    [
      "b101-70000",
      "b111-only-nul",
      "b112-nul-last",
      "b113-nul-after-the-newline",
      "b115-2049-without-newline",
      "b116-2048-in-all-newline-last",
      "b13-nul-mid",
      "b14-nul-first",
      "b17-3000",
      "h114-nul",
      "o12-otp-nul",
      "o133-nul-first",
      "o167-scram-nul",
    ],
    REFUSED,
  ),
  ...each(["c114-userid-of-17000"], REFUSED),
  ...each(["h10-tty-long"], { ...REFUSED, stdout: /^Password: / }),

  ...each(
    [
      "b08-multiline",
      "b09-crlf",
      "b103-two-newlines",
      "b104-newline-first",
      "b105-newline-twice-at-the-end",
      "b106-only-cr-lf",
      "b107-cr-without-lf",
      "b110-control-characters",
      "b20-8bit",
      "h111-8-bit",
      "o165-scram-password-not-normalized",
      "o166-scram-8-bit-password",
    ],
    DOUBTED,
  ),
  ...each(
    [
      "b128-everything-stored-before",
      "d04-del-all-default",
      "d05-del-all-otp",
      "d10-set-legacy",
      "d101-all-plugins-default",
      "d103-all-plugins-otp",
      "d105-all-plugins-dbonly",
      "d117-mech-list-without-otp",
      "d118-mech-list-with-otp",
      "d121-scram-without-its-plugin",
      "d122-unknown-otp-mda",
      "e102-all-plugins-default",
      "e104-all-plugins-otp",
      "e106-all-plugins-dbonly",
      "e110-with-a-userpassword-plugins-otp",
      "e114-scram-and-otp",
      "f101-existing-v9-db5-3-28-le-sasldb",
      "f102-existing-v9-db5-3-28-be-sasldb",
      "f103-existing-v8-db4-5-20-le-sasldb",
      "f104-existing-v8-db4-1-25-be-sasldb",
      "f113-big-endian",
      "o122-mech-list-absent-mechanism-existing",
      "o130-existing",
      "o163-scram-existing",
    ],
    KEPT,
  ),
  ...each(
    [
      "o10-scram256",
      "o147-mech-list-scram-sha-1",
      "o148-mech-list-scram-sha-224",
      "o149-mech-list-scram-sha-384",
      "o150-mech-list-scram-sha-512",
      "o151-mech-list-scram-sha-256",
      "o153-mech-list-scram",
      "o152-mech-list-scram-sha-256-plus",
      "o154-mech-list-of-two-scram",
    ],
    LEFT_OUT,
  ),

  ...each(
    [
      "d110-missing-folder",
      "d114-btree",
      "d115-not-to-be-written-unprivileged",
      "d116-not-to-be-read-unprivileged",
      "f04-isdir",
      "f05-text",
      "f08-eacces",
      "f09-readonly",
      "f10-nodirwrite",
      "f106-existing-v6-db3-0-55-le-sasldb",
      "f107-existing-v5-db2-7-7-le-sasldb",
      "f108-existing-v2-db1-85-le-sasldb",
      "f109-existing-v10-db18-1-40-le-sasldb",
      "f114-btree",
      "f116-truncated-to-12000",
      "f119-truncated-to-512",
      "f12-del-text",
      "f120-truncated-to-72",
      "f121-1-zeros",
      "f122-512-zeros",
      "f123-4096-zeros",
      "f124-511-letters",
      "f125-4096-letters",
      "f136-symlink-to-itself",
      "f137-folder",
      "f138-missing-folder",
      "f139-file-as-folder",
      "f140-slash-at-the-end",
      "f142-name-of-252",
      "f143-name-of-256",
      "f146-unprivileged-not-to-be-read",
      "f16-smallfile",
      "g110-value-in-quotes",
      "h122-text-file",
      "o168-scram-text-file",
    ],
    reason("generic failure"),
  ),
  ...each(
    [
      "d125-bad-configuration",
      "g04-conf-bad",
      "g05-conf-emptyval",
      "g115-long-line",
      "g116-long-comment",
      "g117-missing-colon",
      "g118-blank-before-the-colon",
      "g119-value-of-blanks",
      "g121-non-ascii-key",
      "g122-byte-order-mark",
      "g123-bad-line-after-a-comment-without-end",
      "g138-bad-configuration-no-plugins",
      "g143-a-empty-file-without-a-name",
      "h120-bad-configuration",
    ],
    reason("error when parsing configuration file"),
  ),
  ...each(
    [
      "d123-absent-auxprop-plugin",
      "g06-auxprop-none",
      "g12-otp-noauxprop",
      "g131-auxprop-plugin-begins-so",
      "g132-auxprop-plugin-with-comma",
      "g136-absent-auxprop-plugin-n",
      "g137-absent-auxprop-plugin-existing",
    ],
    reason("no mechanism available"),
  ),

  ...each(
    [
      "l05-zero",
      "l06-text",
      "l114-missing-file",
      "l115-file-as-folder",
      "l118-another-name-missing-file",
      "l14-perm",
      "l146-04-bad-magic",
      "l147-11-random-bytes",
      "l148-15-gzip",
      "l149-20-letters",
      "l150-4096-zeros",
      "l151-truncated-to-12000",
      "l152-truncated-to-8192",
      "l153-truncated-to-4096",
      "l154-truncated-to-72",
      "l156-symlink-to-nothing",
      "l157-symlink-to-itself",
      "l17-btree",
      "l20-dir",
    ],
    UNLISTED,
  ),
  ...each(["l12-badkey-1nul", "l125-empty-key", "l128-property-of-16384", "l13-badkey-3nul", "l18-longuser"], MALFORMED),
  ...each(["l126-bad-key-among-good-ones"], { ...MALFORMED, stdout: /^(user00\d@mail\.example\.com: userPassword\n){6}$/ }),

  ...each(["o04-otp-unknown", "o103-otp-mda-sha-1", "o104-otp-mda-sha", "o106-otp-mda-md5-sha1"], NO_MDA),
  ...each(["o105-otp-mda-md4"], NO_MDA),
  ...each(["o111-unknown-otp-mda-n"], { exit: 1, stderr: NO_MDA.stderr as RegExp }),
  ...each(
    [
      "o156-scram-iteration-counter-0",
      "o158-scram-iteration-counter-1",
      "o159-scram-iteration-counter-abc",
      "o160-scram-iteration-counter-5000abc",
    ],
    { ...FAILED, file: null, records: null },
  ),
  ...each(["d119-mech-list-with-one-scram", "d120-mech-list-without-scram"], LEFT_OUT_AND_KEPT),
  ...each(["o14-otp-hostdigits"], { seedPrefix: "mx" }),
  ...each(["o125-host-a-b"], { seedPrefix: "ab" }),
  ...each(["o126-host-x", "o128-host-dash"], { seedPrefix: "x" }),
  ...each(["o129-host-b"], { seedPrefix: "b" }),

  ...each(["f02-umask0", "f127-umask-0007"], { file: { mode: "0640", size: 12288 } }),
  ...each(["f128-umask-0200"], { file: { mode: "0440", size: 12288 } }),
  ...each(["f129-umask-0400"], { file: { mode: "0240", size: 12288 } }),
  ...each(["f105-existing-v7-db3-1-17-le-sasldb", "f117-truncated-to-8192", "e116-text-file", "e117-missing-folder"], FAILED),
  ...each(["f118-truncated-to-4096"], { ...FAILED, file: { mode: "0644", size: 4096 } }),
  ...each(["f115-duplicates-allowed"], { records: stored("alice", "pw") }),

  // sasldb is built in, and the other plugins are asked for by name.
  ...each(["d108-missing-file-plugins-none", "e107-new-file-plugins-none"], EMPTY),
  ...each(["d107-all-plugins-none"], { ...KEPT, changed: { userPassword: null, ...LEGACY } }),
  ...each(["e108-all-plugins-none"], { ...KEPT, changed: LEGACY }),
  ...each(["e112-with-a-userpassword-plugins-none"], { ...KEPT, changed: { userPassword: "pw", ...LEGACY } }),
  ...each(["e118-text-file-no-plugins"], FAILED),
  ...each(["h123-no-plugins"], { ...EMPTY, records: stored("alice", "secret") }),
  ...each(["g133-plugin-list"], { ...EMPTY, exit: 0, stderr: "", records: stored("alice", "pw") }),
  ...each(
    [
      "d124-absent-auxprop-plugin-no-mechanisms",
      "g134-absent-auxprop-plugin-without-mechanisms",
      "g135-absent-auxprop-plugin-mech-list-plain",
    ],
    { ...reason("no mechanism available"), exit: 4 },
  ),

  ...each(["h104-text-and-end-of-file"], {
    exit: 7,
    stderr: "tssaslpasswd: passwords don't match; aborting\n",
    ttyEcho: "",
    file: null,
    records: null,
  }),
  ...each(["h110-quit"], { exit: 130 }),
  ...each(["h115-same-up-to-2048"], REFUSED),
  ...each(["h116-both-in-one-write"], { ttyEcho: "\r\n\r\n" }),

  ...each(["l104-double-dash-before-the-path"], { exit: 0, stderr: "", stdout: "alice@mail.example.com: userPassword\n" }),
  ...each(["l130-key-of-32769"], { stdout: /^u{16383}@r{16372}: .*\n$/ }),
  ...each(["l131-key-of-48002-among-others"], { stdout: /^(user00\d@mail\.example\.com: userPassword\n|u+@.*\n){7}$/ }),
  ...each(
    [
      "l141-v7-db3-1-17-le-sasldb",
      "l142-v6-db3-0-55-le-sasldb",
      "l143-v5-db2-7-7-le-sasldb",
      "l144-v2-db1-85-le-sasldb",
      "l145-v10-db18-1-40-le-sasldb",
    ],
    {
      exit: 0,
      stderr: "",
      stdout: /^((alice|bob)@mail|carol@relay)\.example\.com: \w+\n/,
    },
  ),
  ...each(["l161-bad-configuration"], { exit: 0, stderr: "", stdout: "alice@mail.example.com: userPassword\n" }),
]);
