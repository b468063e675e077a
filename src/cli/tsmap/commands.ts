/**
 * The commands of tsmap and their options: one table, from which the help, the
 * shell completion and the manual pages are made.
 *
 * What a command does is in the file of its name: modules.ts.
 */
import { COMMON_OFFER, DEFAULT_AUTH_MECHANISMS } from "../../authinfo/client.ts";
import { LOGIN_CLIENTS } from "../../authinfo/login/mechanisms.ts";
import { Argument, Command, Option } from "../commander.ts";
import { addFormatOptions } from "../format-settings.ts";
import { addBuildOptions } from "./build-settings.ts";

/** Called with the name of the command, its operands and its options. */
export type Run = (name: string, operands: readonly (string | readonly string[])[], options: object) => Promise<void>;

/** What is printed of a file that may hold passwords. */
const SHOW_SECRETS = "show passwords and other secrets, which are masked otherwise";

const MAP = "a database or the source text of a map; - is standard input";

const MANIFEST = "what is to be built (default: tsmap.yaml, tsmap.yml or tsmap.json)";

/** How the client's sendmail reads its map; a map itself does not say. */
const MAP_FLAGS = 'flags of the map\'s K line, of -f, -N, -O and -o, as in "-f -N"; of a database, -f and -N mean these';

/** The whole of tsmap, without commander's own output and exit. */
export function tsmapCommand(program: string, run: Run): Command {
  const tsmap = new Command(program)
    .description("Look at, compare and convert the mail-authentication files of sendmail relays: hash maps and SASL databases.")
    .usage("<command> [options]")
    .exitOverride()
    .option("--version", "show the version");
  const addTo = (parent: Command, name: string, file: string, description: string): Command => {
    const command = parent.command(name).description(description);
    command.action((...args: unknown[]) => run(file, args.slice(0, -2) as (string | string[])[], command.opts<Record<string, unknown>>()));
    return command;
  };
  const add = (name: string, description: string): Command => addTo(tsmap, name, name, description);

  add("inspect", "Say what a database file is, who can read it, and what is wrong with it.")
    .argument("<file...>", "database files")
    .option("--json", "as JSON (schemas/inspect.schema.json), a file to a line")
    .option("--pages", "draw how full each page is");

  addSourceOptions(
    add("list", "List the records of a map, in the order of the file: key, TAB and data to a line, without the NUL that may end them.")
      .argument("<file>", MAP)
      .option("--sort", "by key")
      .option("--keys", "the keys alone")
      .option("--json", "as JSON, a record to a line: whole, and safe for binary data")
      .option("--show-secrets", SHOW_SECRETS),
  );

  addSourceOptions(
    add("get", "Look up a key, as it stands and then as sendmail does (in lower case, with a NUL), and print its data, a record to a line.")
      .argument("<file>", MAP)
      .argument("<key>", "the key")
      .option("--exact", "as it stands alone")
      .option("--json", "as JSON, a record to a line, with its key")
      .option("--show-secrets", SHOW_SECRETS),
  );

  add("dump", "Write a database as text, in the format of db_dump.")
    .argument("<file>", "a database")
    .option("-p", "printable characters as they are")
    .addOption(new Option("--format <format>", "the text's").choices(["dump", "json", "csv"]).default("dump"))
    .option("-o, --output <file>", "write to a file (mode 0600) instead of standard output, all or nothing")
    .option("--show-secrets", "write a file that holds secrets, which is refused otherwise");

  addFormatOptions(
    add("load", "Make a database from such text, all or nothing.")
      .argument("<file>", "the database to make or to replace")
      .option("-f, --input <file>", "read the text from a file instead of standard input")
      .addOption(new Option("--format <format>", "the text's").choices(["dump", "json", "csv"]).default("dump"))
      .addOption(new Option("--type <type>", "instead of the one that the text names (or hash)").choices(["hash", "btree"]))
      .option("-d, --duplicates", "keep all records with a key, where the text does not ask for it")
      .option("-n, --no-overwrite", "keep the first of several records with a key, in place of the last"),
  );

  addSourceOptions(
    add("export", "Write maps as LDIF, for a directory (LDAP) that sendmail looks them up in instead of in files.")
      .argument("<map...>", MAP)
      .addOption(new Option("--format <format>", "the text's").choices(["ldif"]).makeOptionMandatory())
      .requiredOption("--base <dn>", "the entry of the directory below which the maps are to be; it has to be there")
      .addOption(new Option("--cluster <name>", "whose hosts find the maps (sendmailMTACluster); this or --host").conflicts("host"))
      .option("--host <name>", "the host that finds the maps (sendmailMTAHost), by its full name")
      .option("--map-name <name>", "the map's name in the directory (default: the file's, without .db)")
      .option("-o, --output <file>", "write to a file (mode 0600) instead of standard output, all or nothing")
      .option("--show-secrets", "write a map that holds secrets, which is refused otherwise"),
  );

  add("verify", "Check the structure of database files: Berkeley DB's own verification, and a walk over every page and its checksum.")
    .argument("<file...>", "database files")
    .option("--json", "as JSON, a file to a line");

  addSourceOptions(
    add("diff", "Compare two maps: their records, and then how they are stored.")
      .argument("<a>", MAP)
      .argument("<b>", "another")
      .option("--same-format", "a different byte order, version, page size or type counts as a difference")
      .option("-q, --quiet", "no output, the exit code alone")
      .option("--json", "as JSON")
      .option(
        "--fingerprint-key <file>",
        "key of the fingerprints that stand for secrets, to compare those of several runs (default: random)",
      )
      .option("--show-secrets", SHOW_SECRETS),
  );

  addFormatOptions(
    add("convert", "Make a database with the same records for another host, all or nothing.")
      .argument("<file>", "a database of any version")
      .requiredOption("-o, --output <file>", "the database to make or to replace")
      .addOption(new Option("--type <type>", "another type of database").choices(["hash", "btree"])),
  );

  add("scrub", "Remove what was deleted from a database and still stands in its unused space; the records stay, all or nothing.")
    .argument("<file>", "a database")
    .option("-o, --output <file>", "leave the file as it is and make this one");

  addSourceOptions(
    add("lint", "Find what is wrong with an authinfo map: what sendmail would misread, ignore, or send mail without authentication for.")
      .argument("<source...>", "source texts or databases")
      .addOption(
        new Option("--format <format>", "of the findings; JSON is a finding to a line (schemas/lint.schema.json)")
          .choices(["text", "json", "sarif"])
          .default("text"),
      )
      .option("--fix", "mend in the source what can be mended for certain"),
  );

  addSourceOptions(
    add("resolve", "Say which entry of an authinfo map sendmail uses for a server, and what it does with it.")
      .argument("<map>", "an authinfo map, or its source text; - is standard input")
      .requiredOption("--server <name>", "the server's name, as sendmail knows it: [192.0.2.1] for an address in brackets")
      .option("--addr <ip>", "the server's address")
      .option("--map-flags <flags>", MAP_FLAGS)
      .option("--client-mechanisms <list>", `sendmail's AuthMechanisms (default: "${DEFAULT_AUTH_MECHANISMS.join(" ")}")`)
      .option("--server-mechanisms <list>", `what the server offers (default: "${COMMON_OFFER.join(" ")}")`)
      .option("--json", "as JSON")
      .option("--show-secrets", SHOW_SECRETS),
  );

  addSourceOptions(
    add("auth", "Hold a client's authinfo map against the SASL database of its relay: would it authenticate, and if not, why not.")
      .requiredOption("--authinfo <map>", "the client's authinfo map, or its source text; - is standard input")
      .requiredOption("--sasldb <file>", "the relay's SASL database")
      .requiredOption("--relay <host>", "the relay's name, as the client's sendmail knows it")
      .option("--addr <ip>", "the relay's address")
      .option("--hostname <name>", "the relay's own host name, where that is another")
      .option("--realm <realm>", "AuthRealm of the relay, where it has one")
      .option("--map-flags <flags>", MAP_FLAGS)
      .option("--client-mechanisms <list>", `the client's AuthMechanisms (default: "${DEFAULT_AUTH_MECHANISMS.join(" ")}")`)
      .option("--server-mechanisms <list>", "the relay's AuthMechanisms (default: the same)")
      .option("--json", "as JSON"),
  );

  const cf = tsmap
    .command("cf")
    .description("Check and change the configuration of sendmail: sendmail.cf of a relay, submit.cf of a client.");
  addTo(
    cf,
    "check",
    "cf-check",
    "Say whether a configuration is set up for SMTP authentication: a line for each requirement, with what to do.",
  )
    .addArgument(new Argument("<file>", "sendmail.cf of a relay, submit.cf of a client"))
    .addOption(cfRole())
    .option("--map <path>", "client: the authinfo map, where it is not at the path that the configuration names")
    .option("--relay <host>", "client: the relay that mail has to go to")
    .option("--domains <file>", "relay: the file of the domains, where it is not at the path that the configuration names")
    .option("--other <file>", "the configuration of the other side, for the mechanisms that both have")
    .option("--json", "as JSON, a requirement to a line");
  addTo(
    cf,
    "patch",
    "cf-patch",
    "Set a configuration up for SMTP authentication, all or nothing: print the changes as a unified diff, and keep the old file beside the new one.",
  )
    .addArgument(new Argument("<file>", "sendmail.cf of a relay, submit.cf of a client"))
    .addOption(cfRole())
    .option("--relay <host>", "client: the relay that mail goes to (DS)")
    .option("--map <path>", "client: the authinfo map of the Kauthinfo line (default: /etc/mail/authinfo/smtp-auth)")
    .option("--mta-host <host>", "client: where mail is handed in, in place of 127.0.0.1 (D{MTAHost})")
    .option("--domains <file>", "relay: the file of the domains that may relay (default: /etc/mail/relay-domains)")
    .option("--dry-run", "print the changes, and write nothing")
    .option("-o, --output <file>", "leave the file as it is and make this one");

  addSourceOptions(
    add("probe", "Log in to a relay as sendmail would, and say whether it lets in, and if not, why not. No mail is sent.")
      .requiredOption("--relay <host:port>", "the relay, as the client's sendmail knows it; [192.0.2.1] for an address (default port: 25)")
      .addOption(new Option("--map <map>", "the client's authinfo map, or its source text").conflicts("authinfo"))
      .option("--authinfo <map>", "the same")
      .addOption(new Option("--mechanism <name>", "this one alone, whatever sendmail would choose").choices([...LOGIN_CLIENTS.keys()]))
      .option("--starttls", "with TLS, and not without it; the relay's certificate is verified, which sendmail does not insist on")
      .addOption(
        new Option("--ca <file>", "certificates, in PEM, that the relay's is verified by, instead of those of Node").conflicts("insecure"),
      )
      .option("--insecure", "with TLS, to whoever it is: as sendmail does")
      .option("--addr <ip>", "the relay's address, to connect to and to look up (default: that of its name)")
      .option("--timeout <seconds>", "for all of it (default: 30)")
      .option("--map-flags <flags>", MAP_FLAGS)
      .option("--client-mechanisms <list>", `the client's AuthMechanisms (default: "${DEFAULT_AUTH_MECHANISMS.join(" ")}")`)
      .option("--verbose", "show the dialogue, without passwords and what is made of them")
      .option("--json", "as JSON"),
  );

  addBuildOptions(
    add("plan", "Say what a build would change: files, users, records. Exit code 0: nothing; 2: something; 1: trouble.")
      .argument("[manifest]", MANIFEST)
      .option("--all", "every user and record, however many they are")
      .option("--json", "as JSON (schemas/plan.schema.json)"),
  );

  addBuildOptions(
    add("build", "Make all maps and SASL databases of a fleet from its manifest, all or nothing, with checksums and provenance.")
      .argument("[manifest]", MANIFEST)
      .option("--show-settings", "print the settings and where each comes from, and build nothing")
      .addOption(new Option("--progress", "show progress even where standard error is no terminal"))
      .addOption(new Option("--no-progress", "show no progress"))
      .option("--json", "say what was done as JSON (schemas/plan.schema.json)"),
  );

  addBuildOptions(
    add("check", "Check what is built: against the manifest and its policy, the hosts' own files, and clients against relays.")
      .argument("[manifest]", MANIFEST)
      .option("--copies <folder>", "files that were fetched from the hosts, in a folder for each host")
      .option("--today <day>", "the day that ages of passwords are counted to: 2026-11-25 (default: that of the clock)")
      .addOption(
        new Option("--format <format>", "of the findings; JSON is a finding to a line (schemas/check.schema.json)")
          .choices(["text", "json", "sarif"])
          .default("text"),
      ),
  );

  addBuildOptions(
    add("watch", "Build, and build again whenever the manifest or a file that it names changes.").argument("[manifest]", MANIFEST),
  );

  add("completion", "Print the completion script of a shell, for all programs of this package.").addArgument(
    new Argument("<shell>", "the shell").choices(["bash", "zsh", "fish"]),
  );
  return tsmap;
}

/** Whose configuration it is. */
function cfRole(): Option {
  return new Option("--role <role>", "whose configuration it is").choices(["relay", "client"]).makeOptionMandatory();
}

/** The options of makemap that say how the source text of a map is read. */
function addSourceOptions(command: Command): Command {
  const heading = "Source text, as for makemap:";
  return command
    .addOption(new Option("-N", "a NUL is stored behind key and value").helpGroup(heading))
    .addOption(new Option("-f", "keys keep their upper case").helpGroup(heading))
    .addOption(new Option("-e", "a key may stand without a value").helpGroup(heading))
    .addOption(new Option("-r", "the last of several records with a key counts, not the first").helpGroup(heading))
    .addOption(new Option("-d", "all records with a key count").helpGroup(heading))
    .addOption(new Option("-t <delimiter>", "between key and value").helpGroup(heading))
    .addOption(new Option("-D <comment>", "a line that begins with it is a comment").helpGroup(heading));
}
