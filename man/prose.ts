/**
 * What the manual pages say beyond the option tables. What is typed as it
 * stands is between backquotes.
 */

type Definitions = readonly (readonly [term: string, text: string])[];

export interface Prose {
  /** Behind the name, for whatis(1): without a capital and a full stop. */
  readonly summary: string;
  /** Paragraphs after the description of the help. */
  readonly description?: readonly string[];
  /** Of operands that the help does not describe. */
  readonly operands?: Readonly<Record<string, string>>;
  /** What standard input is. */
  readonly input?: string;
  readonly exit: readonly (readonly [code: number, meaning: string])[];
  readonly environment?: Definitions;
  readonly files?: Definitions;
  readonly examples?: readonly { readonly what: string; readonly lines: readonly string[] }[];
  /** Pages of other packages; those of ours are there already. */
  readonly seeAlso?: readonly (readonly [name: string, section: number])[];
}

const FORMAT_SETTINGS = ["target", "byte-order", "hash-version", "page-size", "file-id"];
const BUILD_SETTINGS = ["output", "allow-inline", "command-timeout", ...FORMAT_SETTINGS];
const OF_MANIFESTS = ["tsmap-plan", "tsmap-build", "tsmap-check", "tsmap-watch"];

/** The variables that stand in for an option. */
export function environmentOf(page: string, flag: string): Definitions {
  const isOfManifest = OF_MANIFESTS.includes(page);
  const name = (isOfManifest ? BUILD_SETTINGS : FORMAT_SETTINGS).find((setting) => flag === `--${setting}`);
  if (name === undefined) return [];
  const variable = `${isOfManifest ? "TSMAP" : "TSMAKEMAP"}_${name.toUpperCase().replaceAll("-", "_")}`;
  return [[variable, `stands in for \`${flag}\` where that is not given`]];
}

const POSIXLY_CORRECT = ["POSIXLY_CORRECT", "options end at the first operand"] as const;
const TROUBLE = [2, "It could not be done or answered: the command line is wrong, or a file cannot be read or written."] as const;
const DONE = [0, "It is done."] as const;
const NO_COLOR = ["NO_COLOR", "no colour on a terminal"] as const;
const SECRETS = "Passwords and other secrets are masked unless `--show-secrets` is given.";
const SOURCE_TEXT =
  "A file that is no database is read as the source text of a map, as `tsmakemap` with the same options would read it. `-` is standard input; what comes through a pipe may be as long as 1 GiB.";
const ONE_LINE =
  "A record is one line: control characters are spelt out, a newline as `\\x0a`, and nothing else is; `--json` says every byte.";
const MANIFEST =
  "The manifest is YAML or JSON, as `schemas/manifest.schema.json` says; docs/manifest.md explains it. Flags come over variables of the environment, these over the manifest, and the manifest over what is usual.";
const ALL_OR_NOTHING = "A run that fails, or is killed, leaves the file as it was.";

export const PROSE: Readonly<Record<string, Prose>> = {
  tsmakemap: {
    summary: "make a map that sendmail reads",
    description: [
      "A line of the source text is a key, white space, and a value. It stands in for makemap of sendmail 8.17 and writes the same files, for this host or for another one. The map is made beside the old one, which it replaces in one step: a run that fails, or is killed, leaves the old map as it was.",
    ],
    operands: {
      type: "the type of the map: `hash`, `btree` or `implicit`; `cf` or `CF` for the one that sendmail.cf gives to the map",
      mapname: "the file, to which `.db` is added where it does not end so",
    },
    input: "source",
    exit: [
      [0, "The map is made, or what was asked for is printed."],
      [64, "The command line is wrong."],
      [65, "A line of the source text is wrong, or sendmail.cf does not name the map."],
      [66, "Standard input or sendmail.cf cannot be read."],
      [73, "The map cannot be opened or made, or is not safe."],
      [74, "Reading or writing failed."],
      [141, "A reader of the output went away."],
    ],
    environment: [["TMPDIR", "where the new map grows, if nothing can be made beside the old one"], POSIXLY_CORRECT],
    files: [["/etc/mail/sendmail.cf", "TrustedUser (for root), and the types of maps"]],
    examples: [
      { what: "Make smtp-auth.db for this host:", lines: ["tsmakemap hash smtp-auth < smtp-auth"] },
      { what: "For a relay on AIX:", lines: ["tsmakemap --target aix hash smtp-auth < smtp-auth"] },
    ],
    seeAlso: [["makemap", 8]],
  },
  tssaslpasswd: {
    summary: "set or disable a user's password in a SASL database",
    description: [
      "It stands in for saslpasswd of Cyrus SASL 2.1. The password comes from the terminal, from standard input, from a file or from the environment, never from the command line.",
      "Runs at the same time wait for each other, a crash leaves the old database or the new one, and no trace of an old password stays in the file.",
    ],
    operands: { userid: "the user, or user@realm; after `--rename-realm` the new realm" },
    exit: [
      [0, "It is done."],
      [1, "It could not be done, or the command line is wrong."],
      [4, "The configuration keeps users elsewhere than in a SASL database."],
      [7, "A value, or the password, is refused."],
      [100, "The configuration cannot be read."],
    ],
    environment: [
      ["SASL_CONF_PATH", "folders to look for the configuration in, with colons between them, instead of /etc/sasl2 and /etc/sasl"],
      ["TMPDIR", "where the lock is, if nothing can be made beside the database"],
      POSIXLY_CORRECT,
    ],
    files: [
      ["/etc/sasldb2", "the database, where neither `--file` nor sasldb_path of the configuration names another"],
      ["/etc/sasl2/saslpasswd.conf", "the configuration; `-a` names that of another application"],
    ],
    examples: [
      { what: "Make a user, or set the password anew:", lines: ["tssaslpasswd -f sasldb2 -u hostname.domain.com dummyuser"] },
      { what: "In a script:", lines: ["tssaslpasswd -f sasldb2 -u hostname.domain.com \\", "  --password-env SMTP_PASSWORD dummyuser"] },
    ],
    seeAlso: [["saslpasswd2", 8]],
  },
  tssasldblist: {
    summary: "list the users of a SASL database",
    description: [
      "It stands in for sasldblistusers of Cyrus SASL 2.1: a line for each record, with user, realm and property. Nothing is written, and files of every version of Berkeley DB are read.",
    ],
    operands: { sasldb: "the database, as `--file`" },
    exit: [
      [0, "All of it is listed."],
      [1, "The listing failed or is incomplete, or the command line is wrong."],
      [141, "A reader of the output went away."],
    ],
    environment: [POSIXLY_CORRECT],
    files: [["/etc/sasldb2", "the database, where no other is named"]],
    seeAlso: [["sasldblistusers2", 8]],
  },
  tsmap: {
    summary: "look at, compare and convert maps and SASL databases",
    description: [
      "Each command has a page of its own. Files are of every version of Berkeley DB from 1.85 on, hash or btree, in either byte order; nothing is ever written to a file that is only looked at.",
    ],
    exit: [[0, "Yes, or done."], [1, "No, or something was found."], TROUBLE, [141, "A reader of the output went away."]],
    environment: [NO_COLOR],
    examples: [
      { what: "Does the map say what its source says?", lines: ["tsmap diff smtp-auth smtp-auth.db"] },
      { what: "What is this file, and who can read it?", lines: ["tsmap inspect smtp-auth.db"] },
    ],
  },
  "tsmap-inspect": {
    summary: "say what a database file is and who can read it",
    exit: [
      [0, "The files are looked at; there may be warnings."],
      [1, "A file is damaged."],
      [2, "A file is no database, or cannot be read."],
    ],
    environment: [NO_COLOR],
  },
  "tsmap-list": {
    summary: "list the records of a map",
    description: [SOURCE_TEXT, SECRETS, ONE_LINE],
    exit: [DONE, [1, "It is done; makemap would leave out a line of the source text."], TROUBLE],
  },
  "tsmap-get": {
    summary: "look up a key of a map",
    description: [SOURCE_TEXT, SECRETS, ONE_LINE],
    exit: [[0, "The key is there."], [1, "The key is not there."], TROUBLE],
    examples: [{ what: "The entry of a server:", lines: ["tsmap get smtp-auth.db authinfo:mail.example.com"] }],
  },
  "tsmap-dump": {
    summary: "write a database as text",
    description: ["A file that holds passwords is refused unless `--show-secrets` is given."],
    exit: [DONE, TROUBLE],
    seeAlso: [["db5.3_dump", 1]],
  },
  "tsmap-export": {
    summary: "write maps as LDIF for a directory",
    description: [
      "The entries are those of sendmail's own schema, sendmail.schema, and are found by the default lookup, which FEATURE authinfo and its like have with the argument LDAP: by the name of the map, by the key, and by the cluster or the host. There is one for each map and one for each record. The base is not made.",
      SOURCE_TEXT,
      "A map that holds passwords is refused unless `--show-secrets` is given. They are in the directory then, which has to keep them from everybody but the mail hosts.",
      "The NUL that may end keys and data is left out. Of several records with a key the first is written, which is the one that sendmail finds in the map: a directory has one value for each key. A map that would not be the same in a directory is refused: with a value that is empty, with bytes that are not UTF-8, with a NUL within a key or a value, or with keys that differ in case or blanks alone.",
    ],
    exit: [DONE, [1, "It is done; records were left out, or makemap would leave out a line of the source text."], TROUBLE],
    examples: [
      {
        what: "The authinfo map of all mail hosts:",
        lines: [
          "tsmap export --format ldif --show-secrets \\",
          "  --base ou=sendmail,dc=example,dc=com --cluster Servers \\",
          "  --map-name authinfo -o authinfo.ldif smtp-auth.db",
          "ldapadd -ZZ -D cn=admin,dc=example,dc=com -W -f authinfo.ldif",
        ],
      },
    ],
    seeAlso: [["ldapadd", 1]],
  },
  "tsmap-load": {
    summary: "make a database from the text of a dump",
    description: [
      `The text is that of \`tsmap dump\` and of db_dump. ${ALL_OR_NOTHING}`,
      "A text that is empty, or was cut off, is refused: the last line of a dump is DATA=END, that of JSON and CSV the number of records.",
    ],
    exit: [DONE, [1, "Records were left out, since their keys were there already (`--no-overwrite`)."], TROUBLE],
    seeAlso: [["db5.3_load", 1]],
  },
  "tsmap-verify": {
    summary: "check the structure of database files",
    exit: [
      [0, "The files are sound."],
      [1, "A file is damaged."],
      [2, "A file is no database, or cannot be read."],
    ],
    environment: [NO_COLOR],
    seeAlso: [["db5.3_verify", 1]],
  },
  "tsmap-diff": {
    summary: "compare two maps",
    description: [
      SOURCE_TEXT,
      "Records are compared, whatever the files: byte order, version, page size and type count with `--same-format` alone. Lines of a source text that makemap leaves out are said on standard error, and are no difference.",
      "Secrets that differ are shown as fingerprints, not as they are, unless `--show-secrets` is given.",
    ],
    exit: [[0, "They are the same."], [1, "They differ."], TROUBLE],
    environment: [NO_COLOR],
    examples: [
      { what: "A map against its source:", lines: ["tsmap diff smtp-auth smtp-auth.db"] },
      { what: "The same for a map that was made with `-N`:", lines: ["tsmap diff -N smtp-auth smtp-auth.db"] },
    ],
  },
  "tsmap-convert": {
    summary: "make a database with the same records for another host",
    description: [
      "Without options the new file has the byte order, the page size and the version of the old one; of a version that cannot be written (2 to 6, and 10) version 9. It is never readable for more users than the old one.",
      ALL_OR_NOTHING,
    ],
    exit: [DONE, TROUBLE],
    examples: [{ what: "For a relay on AIX:", lines: ["tsmap convert smtp-auth.db --target aix -o aix/smtp-auth.db"] }],
  },
  "tsmap-scrub": {
    summary: "remove deleted records from the unused space of a database",
    description: [ALL_OR_NOTHING],
    exit: [DONE, TROUBLE],
  },
  "tsmap-lint": {
    summary: "find what is wrong with an authinfo map",
    description: ["A source `-` is standard input."],
    exit: [[0, "There is nothing worse than notes."], [1, "There is an error or a warning, which `--fix` has not mended."], TROUBLE],
    environment: [NO_COLOR],
    examples: [{ what: "In CI, for a service that shows SARIF:", lines: ["tsmap lint --format sarif smtp-auth > lint.sarif"] }],
  },
  "tsmap-resolve": {
    summary: "say which entry of an authinfo map sendmail uses for a server",
    description: [SOURCE_TEXT, SECRETS],
    exit: [[0, "Sendmail would authenticate."], [1, "Sendmail would not authenticate."], TROUBLE],
    examples: [{ what: "Of a server and its address:", lines: ["tsmap resolve --server mail.example.com --addr 192.0.2.1 smtp-auth.db"] }],
  },
  "tsmap-auth": {
    summary: "hold an authinfo map against the SASL database of its relay",
    description: [SOURCE_TEXT, "Passwords are compared, and never shown."],
    exit: [[0, "The client would authenticate."], [1, "The client would not authenticate."], TROUBLE],
    examples: [
      {
        what: "Before the files go to their hosts:",
        lines: ["tsmap auth --authinfo smtp-auth.db --sasldb sasldb2 \\", "  --relay mail.example.com"],
      },
    ],
  },
  "tsmap-cf": {
    summary: "check and change the configuration of sendmail",
    exit: [DONE, [1, "Something is missing or wrong."], TROUBLE],
  },
  "tsmap-cf-check": {
    summary: "say whether a configuration of sendmail is set up for SMTP authentication",
    description: [
      "A line has the place, a word, the code of the requirement, and what is so: met; missing, for what is not there; wrong, for what is there and does not work; note, for what is good to know and no fault. Behind it stands what to do. What is called missing or wrong is what sendmail 8.17 does not do for it.",
      "The files that the configuration names are looked at too. `--map` and `--domains` name copies of them, for a host that is not the one that the configuration is for.",
    ],
    exit: [[0, "Everything is as it should be."], [1, "Something is missing or wrong."], TROUBLE],
    examples: [
      { what: "On the client:", lines: ["tsmap cf check --role client /etc/mail/submit.cf"] },
      {
        what: "Both sides, from copies:",
        lines: ["tsmap cf check --role client --map smtp-auth \\", "  --other sendmail.cf submit.cf"],
      },
    ],
  },
  "tsmap-cf-patch": {
    summary: "set a configuration of sendmail up for SMTP authentication",
    description: [
      "Of a relay, sendmail.cf gets the file of the domains that may relay (FR), authentication as a condition (`M=Ea` of the main daemon), the mechanisms that are offered and those whose users may relay. Of a client, submit.cf gets the relay (DS), the map (Kauthinfo), the mechanisms and the five rules of the ruleset authinfo.",
      "What does its work already is left as it is, and every other byte too: a second run changes nothing. A file in which something stands that the program does not understand is left alone; it says why, with line numbers.",
      `The changes are printed as patch(1) takes them: \`patch -R\` takes them back. The old file is kept under its name with \`.orig\`, or \`.orig.1\` and so on: no older one is replaced. ${ALL_OR_NOTHING}`,
    ],
    exit: [[0, "The file is as it should be, or would be with `--dry-run`."], TROUBLE],
    examples: [
      { what: "See what would be changed on the relay:", lines: ["tsmap cf patch --role relay --dry-run /etc/mail/sendmail.cf"] },
      {
        what: "Set a client up:",
        lines: [
          "tsmap cf patch --role client \\",
          "  --relay hostname.domain.com \\",
          "  --map /etc/mail/authinfo/smtp-auth /etc/mail/submit.cf",
        ],
      },
    ],
    seeAlso: [["patch", 1]],
  },
  "tsmap-plan": {
    summary: "say what a build of maps and SASL databases would change",
    description: [MANIFEST, "Everything is made in memory and held against the files that are there. Secrets are masked."],
    exit: [
      [0, "There is nothing to do."],
      [1, "Trouble: the manifest is wrong, or a secret or a source cannot be read."],
      [2, "A build would change something."],
    ],
    environment: [NO_COLOR],
    examples: [{ what: "Before a build:", lines: ["tsmap plan fleet/tsmap.yaml"] }],
  },
  "tsmap-build": {
    summary: "make all maps and SASL databases of a fleet",
    description: [
      MANIFEST,
      "The output is a link to a folder with a folder for each host, with `SHA256SUMS`, with `provenance.json` (an in-toto statement), and with `index.json`, which says where each file belongs. The link is switched to a new folder in one step: whoever goes through it finds the whole old set or the whole new one.",
      "The same input gives the same bytes on every machine. Salts, seeds and file ids come from the secret key that the manifest names.",
    ],
    exit: [[0, "The files are as the manifest has them."], TROUBLE],
    environment: [NO_COLOR],
    examples: [
      { what: "All of it:", lines: ["tsmap build fleet/tsmap.yaml", "(cd fleet/artifacts && sha256sum -c SHA256SUMS)"] },
      { what: "Which setting comes from where:", lines: ["TSMAP_TARGET=aix tsmap build --show-settings fleet/tsmap.yaml"] },
    ],
  },
  "tsmap-check": {
    summary: "check the maps and SASL databases of a fleet",
    description: [
      MANIFEST,
      "It finds what is stale, missing or damaged among what is built; what differs from copies of the hosts' own files; what lint finds in authinfo maps; what breaks the policy of the manifest; and clients that their relays would not let in.",
    ],
    exit: [[0, "Nothing was found."], [1, "Something was found."], TROUBLE],
    environment: [NO_COLOR],
    examples: [
      {
        what: "Against what the hosts have:",
        lines: ["scp relay1.example.com:/etc/sasldb2 copies/relay1.example.com/", "tsmap check --copies copies fleet/tsmap.yaml"],
      },
    ],
  },
  "tsmap-watch": {
    summary: "build maps and SASL databases whenever their sources change",
    description: [MANIFEST, "What is wrong is said, and what was built before stays. It ends with a signal: ^C."],
    exit: [TROUBLE],
    environment: [NO_COLOR],
    examples: [{ what: "While a manifest is written:", lines: ["tsmap watch fleet/tsmap.yaml"] }],
  },
  "tsmap-probe": {
    summary: "log in to a relay as sendmail would",
    description: [
      "It connects, says EHLO and logs in with the entry and the mechanisms that sendmail would choose: one after another, until one is accepted. Then it says QUIT. No mail is sent, and no address is named.",
      "A mechanism that sends the password (PLAIN, LOGIN) is used without TLS too, as sendmail does, and there is a warning then. A login with OTP uses up a one-time password.",
      `${SOURCE_TEXT} Passwords are never shown, even where a server gives them back.`,
    ],
    exit: [
      [0, "The relay lets in."],
      [1, "The relay does not let in, or sendmail would not ask it."],
      [
        2,
        "That is not known: the command line is wrong, a file cannot be read, there is no connection or no TLS, or the relay did not answer as it should, or not in time.",
      ],
    ],
    examples: [
      { what: "Before any mail goes there:", lines: ["tsmap probe --starttls --relay mail.example.com:587 --map smtp-auth"] },
      {
        what: "What is said, with one mechanism:",
        lines: ["tsmap probe --relay '[192.0.2.1]' --authinfo smtp-auth \\", "  --mechanism CRAM-MD5 --verbose"],
      },
    ],
  },
  "tsmap-completion": {
    summary: "print the completion script of a shell",
    description: ["The script completes all programs of this package, and runs none of them while it does."],
    exit: [DONE, TROUBLE],
    examples: [
      { what: "In ~/.bashrc:", lines: ["source <(tsmap completion bash)"] },
      { what: "In ~/.zshrc, behind compinit:", lines: ["source <(tsmap completion zsh)"] },
      { what: "Once, for fish:", lines: ["tsmap completion fish > ~/.config/fish/conf.d/tsmap.fish"] },
    ],
  },
};
