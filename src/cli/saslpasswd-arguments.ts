/**
 * The command line of tssaslpasswd: saslpasswd's, which getopt() reads from
 * left to right (`vpcdnf:u:a:h?`), and long options of ours.
 */
import { isOtpSeed, NEW_OTP_ALGORITHMS, type NewOtpAlgorithm } from "../sasldb/otp.ts";
import { SECRET_MECHANISMS, type SecretMechanism } from "../sasldb/sasldb.ts";
import { type Command, Option } from "./commander.ts";
import { addFormatOptions, type FormatFlags, SettingError } from "./format-settings.ts";
import { type Complaint, complaintText, end, endAt, newCommand, onUnknownLetter, readCommandLine } from "./getopt.ts";

export interface SaslpasswdArguments extends FormatFlags {
  /** -p */
  readonly pipe: boolean;
  /** -d */
  readonly disable: boolean;
  /** -n */
  readonly noPlain: boolean;
  /** -f, --file; undefined for none or an empty one. */
  readonly file: string | undefined;
  /** -u, --realm; undefined for none or an empty one. */
  readonly realm: string | undefined;
  /** -a */
  readonly application: string;
  readonly mechanisms: readonly SecretMechanism[] | undefined;
  readonly passwordFile: string | undefined;
  readonly passwordVariable: string | undefined;
  readonly otpSeed: string | undefined;
  readonly otpAlgorithm: NewOtpAlgorithm | undefined;
  /** 16 bytes. */
  readonly scramSalt: Uint8Array | undefined;
  readonly hostname: string | undefined;
  readonly inPlace: boolean;
  readonly json: boolean;
}

export type SaslpasswdRequest =
  | { readonly kind: "set"; readonly args: SaslpasswdArguments; readonly userid: string }
  | { readonly kind: "rename-realm"; readonly args: SaslpasswdArguments; readonly from: string; readonly to: string }
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "version" }
  /** -v; with what getopt() had complained of before. */
  | { readonly kind: "sasl-version"; readonly complaints: string }
  /** -a with a slash. */
  | { readonly kind: "bad-application"; readonly complaints: string }
  | { readonly kind: "usage"; readonly complaints: string };

const LETTERS = "vpcdnfuah?";

interface Options extends FormatFlags {
  readonly p?: true;
  readonly c?: true;
  readonly d?: true;
  readonly n?: true;
  readonly file?: string;
  readonly realm?: string;
  readonly a?: string;
  readonly mechanisms?: readonly SecretMechanism[];
  readonly passwordFile?: string;
  readonly passwordEnv?: string;
  readonly otpSeed?: string;
  readonly otpMda?: NewOtpAlgorithm;
  readonly scramSalt?: Uint8Array;
  readonly hostname?: string;
  readonly renameRealm?: string;
  readonly inPlace?: true;
  readonly json?: true;
}

/**
 * @param argv without the programs: process.argv.slice(2).
 * @throws {SettingError} the value of a long option is wrong.
 */
export function parseSaslpasswdArguments(argv: readonly string[], program: string, environment: NodeJS.ProcessEnv): SaslpasswdRequest {
  let complaints = "";
  let isWrong = false;
  const complain = (what: Complaint): void => {
    isWrong = true;
    complaints += complaintText(program, what);
  };
  const command = saslpasswdCommand(program, () => complaints);
  onUnknownLetter(command, LETTERS, argv, (letter) => complain({ invalidOption: letter }));
  for (const name of ["h", "?"]) command.on(`option:${name}`, () => complain({}));
  const ended = readCommandLine<SaslpasswdRequest>(command, argv, environment, complain);
  if (ended !== undefined) return ended;
  const options = command.opts<Options>();
  const [operand, ...rest] = command.args;
  if (options.renameRealm !== undefined && (operand === undefined || rest.length > 0 || options.c || options.d || options.n))
    throw new SettingError("--rename-realm: wants two realms, OLD and NEW, and neither -c, -d nor -n");
  if (isWrong || operand === undefined || rest.length > 0 || (options.c && options.d)) return { kind: "usage", complaints };
  const args = toArguments(options);
  if (options.renameRealm !== undefined) return { kind: "rename-realm", args, from: options.renameRealm, to: operand };
  return { kind: "set", args, userid: operand };
}

export function saslpasswdCommand(program: string, complaints: () => string = () => ""): Command {
  const command = newCommand(
    program,
    "[options] userid",
    "Set or disable a user's password in a SASL database, which servers of Cyrus SASL read.",
  )
    .option("-p", "read the password from standard input, without a prompt")
    .option("-c", "create the user (as without it)")
    .option("-d", "disable the user: delete the password and the secrets")
    .option("-n", "do not store the plain password (userPassword)")
    .option("-f, --file <sasldb>", "the database (default: sasldb_path of the configuration, or /etc/sasldb2)")
    .option("-a <appname>", "the application whose configuration counts (default: saslpasswd)", (value) => {
      if (value.includes("/")) end({ kind: "bad-application", complaints: complaints() } satisfies SaslpasswdRequest);
      return value;
    })
    .option("-u, --realm <realm>", "the realm of a userid without one (default: this host's name)")
    .addOption(new Option("-h").hideHelp())
    .addOption(new Option("-?").hideHelp())
    .option("-v", "show the version of Cyrus SASL that this stands in for")
    .option(
      "--mechanisms <list>",
      `whose own secrets to set: none, or some of ${SECRET_MECHANISMS.join(", ")} (default: OTP)`,
      readMechanisms,
    )
    .option("--password-file <file>", "read the password from a file; a newline at its end is no part of it")
    .option("--password-env <name>", "read the password from a variable of the environment")
    .option("--hostname <name>", "the name of the host that the database is for (default: this host's)")
    .option("--rename-realm <old>", "give all users of the realm OLD the one that follows: --rename-realm OLD NEW")
    .option(
      "--otp-mda <name>",
      `the hash of one-time passwords: ${NEW_OTP_ALGORITHMS.join(", ")} (default: otp_mda of the configuration, or md5)`,
      readAlgorithm,
    )
    .option("--otp-seed <seed>", "1 to 16 lower-case letters and digits (default: random)", readSeed)
    .option("--scram-salt <salt>", "16 bytes, in hexadecimal or base64 (default: random)", readSalt)
    .option("--json", "say what was done as JSON");
  addFormatOptions(command, "File format of a new database:")
    .option("--in-place", "write into the file that is there instead of replacing it")
    .option("--help", "show this help")
    .option("--version", "show the version");
  const endsAt = (option: string, request: () => SaslpasswdRequest): void => endAt(command, option, request);
  endsAt("v", () => ({ kind: "sasl-version", complaints: complaints() }));
  endsAt("help", () => ({ kind: "help", text: command.helpInformation() }));
  endsAt("version", () => ({ kind: "version" }));
  return command;
}

function toArguments(options: Options): SaslpasswdArguments {
  return {
    ...options,
    pipe: options.p ?? false,
    disable: options.d ?? false,
    noPlain: options.n ?? false,
    file: options.file || undefined,
    realm: options.realm || undefined,
    application: options.a ?? "saslpasswd",
    mechanisms: options.mechanisms,
    passwordFile: options.passwordFile,
    passwordVariable: options.passwordEnv,
    otpSeed: options.otpSeed,
    otpAlgorithm: options.otpMda,
    scramSalt: options.scramSalt,
    hostname: options.hostname,
    inPlace: options.inPlace ?? false,
    json: options.json ?? false,
  };
}

function readMechanisms(text: string): readonly SecretMechanism[] {
  const words = text
    .toUpperCase()
    .split(/[\s,]+/)
    .filter((word) => word !== "");
  if (words.length === 1 && words[0] === "NONE") return [];
  return words.map((word) => {
    const mechanism = SECRET_MECHANISMS.find((name) => name === word);
    if (mechanism === undefined)
      throw new SettingError(`--mechanisms: "${word}" is not one of ${SECRET_MECHANISMS.join(", ")}, or none alone`);
    return mechanism;
  });
}

function readAlgorithm(text: string): NewOtpAlgorithm {
  const algorithm = NEW_OTP_ALGORITHMS.find((name) => name === text.toLowerCase());
  if (algorithm === undefined) throw new SettingError(`--otp-mda: "${text}" is not one of ${NEW_OTP_ALGORITHMS.join(", ")}`);
  return algorithm;
}

function readSeed(text: string): string {
  if (!isOtpSeed(text)) throw new SettingError(`--otp-seed: "${text}" is not 1 to 16 lower-case letters and digits`);
  return text;
}

function readSalt(text: string): Uint8Array {
  if (/^[0-9a-fA-F]{32}$/.test(text)) return Buffer.from(text, "hex");
  if (/^[A-Za-z0-9+/]{22}==$/.test(text)) return Buffer.from(text, "base64");
  throw new SettingError(`--scram-salt: "${text}" is not 16 bytes as 32 hexadecimal digits or 24 characters of base64`);
}
