/**
 * tssaslpasswd: saslpasswd, as a program (Cyrus SASL 2.1.28, utils/saslpasswd.c).
 */
import { hostname } from "node:os";
import { strerror } from "../files/strerror.ts";
import { jsonText } from "../map-file/json-text.ts";
import { type Configuration, ConfigurationError, readConfiguration } from "../sasldb/configuration.ts";
import { UserExistsError } from "../sasldb/error.ts";
import { LONGEST_PART, lowerCase, splitUserid } from "../sasldb/name.ts";
import { NEW_OTP_ALGORITHMS, type NewOtpAlgorithm } from "../sasldb/otp.ts";
import { passwordDoubt, passwordFault } from "../sasldb/password.ts";
import { type Sasldb, SECRET_MECHANISMS, type SecretMechanism, type SetPasswordOptions } from "../sasldb/sasldb.ts";
import { endBySignals, onSignal } from "./cleanup.ts";
import { say, sayOutputFailure, sayText } from "./error-output.ts";
import { type FormatSettings, readFormatSettings, SettingError } from "./format-settings.ts";
import { forgetLastMatch } from "./last-match.ts";
import { Output, OutputError } from "./output.ts";
import {
  isTerminal,
  PasswordInputError,
  passwordFromEnvironment,
  passwordFromFile,
  passwordFromLine,
  passwordFromPipe,
  passwordTwice,
} from "./password-input.ts";
import { printable } from "./printable.ts";
import {
  SASL_BADPARAM,
  SASL_CONFIGERR,
  SASL_FAIL,
  SASL_NOMECH,
  SASL_OK,
  type SaslFailure,
  saslErrorText,
  saslVersion,
} from "./sasl-messages.ts";
import { parseSaslpasswdArguments, type SaslpasswdArguments, type SaslpasswdRequest } from "./saslpasswd-arguments.ts";
import { doubtText, failureReason, faultText, passwdUsage } from "./saslpasswd-messages.ts";
import { unreadableArgument } from "./unreadable-argument.ts";
import { programName, versionText } from "./version.ts";

/** Of this host, where its administrator puts them; SASL_CONF_PATH of the environment takes their place. */
const CONFIGURATION_FOLDERS = ["/etc/sasl2", "/etc/sasl"];
const DEFAULT_DATABASE = "/etc/sasldb2";

/** Ends the run with an exit code, after what was to be said is said. */
class Exit extends Error {
  readonly code: number;

  constructor(code: number) {
    super("exit");
    this.code = code;
  }
}

/** What a run works with, once the command line and the configuration are understood. */
interface Job {
  readonly program: string;
  readonly args: SaslpasswdArguments;
  readonly configuration: Configuration;
  readonly format: FormatSettings;
  readonly file: string;
  /** Of the host that the database is for. */
  readonly hostname: string;
  readonly output: Output;
}

/** @returns the exit code. */
export async function main(argv: readonly string[] = process.argv): Promise<number> {
  const program = programName(argv, "tssaslpasswd");
  const output = new Output();
  endBySignals();
  try {
    const code = await answer(parse(argv, program), program, output);
    await output.flush();
    return code;
  } catch (error) {
    if (error instanceof Exit) {
      output.push();
      return error.code;
    }
    if (!(error instanceof OutputError)) throw error;
    // What was to be done is done, and nobody has read of it.
    sayOutputFailure(program, error, SASL_FAIL);
    return SASL_FAIL;
  } finally {
    forgetLastMatch();
  }
}

/** Says why, in a line of ours, and what the original says. */
function fail(program: string, code: SaslFailure, reason?: string): Exit {
  if (reason !== undefined) say(`${program}: ${reason}\n`);
  say(`${program}: ${saslErrorText(code)}\n`);
  return new Exit(code);
}

function parse(argv: readonly string[], program: string): SaslpasswdRequest {
  const unreadable = unreadableArgument(argv.slice(2));
  if (unreadable !== undefined) throw fail(program, SASL_BADPARAM, unreadable);
  try {
    return parseSaslpasswdArguments(argv.slice(2), program, process.env);
  } catch (error) {
    if (error instanceof SettingError) throw fail(program, SASL_BADPARAM, error.message);
    throw error;
  }
}

async function answer(request: SaslpasswdRequest, program: string, output: Output): Promise<number> {
  switch (request.kind) {
    case "help":
      output.write(request.text);
      return SASL_OK;
    case "version":
      output.write(await versionText(program));
      return SASL_OK;
    case "sasl-version":
      sayText(request.complaints + saslVersion());
      return SASL_OK;
    case "bad-application":
      sayText(`${request.complaints}appname must not contain /\n`);
      return SASL_FAIL;
    case "usage":
      sayText(request.complaints + passwdUsage(program));
      return SASL_FAIL;
    case "set":
    case "rename-realm":
      return await run(request, program, output);
  }
}

async function run(
  request: Extract<SaslpasswdRequest, { kind: "set" | "rename-realm" }>,
  program: string,
  output: Output,
): Promise<number> {
  const { args } = request;
  try {
    const configuration = readConfiguration(args.application, process.env["SASL_CONF_PATH"]?.split(":") ?? CONFIGURATION_FOLDERS);
    const job: Job = {
      program,
      args,
      configuration,
      format: await readFormatSettings(args, process.env),
      file: args.file ?? configuration.get("sasldb_path") ?? DEFAULT_DATABASE,
      hostname: args.hostname ?? hostname(),
      output,
    };
    if (request.kind === "rename-realm") await renameRealm(job, request.from, request.to);
    else await setPassword(job, request.userid);
    return SASL_OK;
  } catch (error) {
    if (error instanceof SettingError || error instanceof PasswordInputError) throw fail(program, SASL_BADPARAM, error.message);
    if (error instanceof UserExistsError) throw fail(program, SASL_FAIL, `${printable(error.message)}: nothing was renamed`);
    const reason = failureReason(error);
    if (reason === undefined) throw error;
    throw fail(program, error instanceof ConfigurationError ? SASL_CONFIGERR : SASL_FAIL, reason);
  }
}

async function setPassword(job: Job, userid: string): Promise<void> {
  const { program, args, file } = job;
  const { user, realm } = splitUserid(userid, args.realm ?? lowerCase(job.hostname));
  // Of such a user the original's listing would never come to its end.
  if (!args.disable && [user, realm].some((part) => Buffer.byteLength(part) > LONGEST_PART))
    throw new SettingError(`userid and realm: ${LONGEST_PART} bytes each at most`);
  const mechanisms = chooseMechanisms(job);
  const secrets = args.disable ? {} : secretOptions(job, mechanisms);
  const password = args.disable ? undefined : await readPassword(job);
  try {
    requireSasldb(job);
    const options = {
      mechanisms,
      plain: !args.noPlain,
      ...secrets,
    };
    const done = await update(job, (database) => {
      const change =
        password === undefined ? database.disable(user, realm, { mechanisms }) : database.setPassword(user, realm, password, options);
      return { ...change, kept: database.secrets(user, realm).filter((property) => !change.set.includes(property)) };
    });
    if (done.kept.length > 0) {
      const what = password === undefined ? ", and can still log in with that" : " of an earlier password";
      say(`${program}: warning: ${printable(`${user}@${realm}`)} keeps ${done.kept.join(", ")}${what}\n`);
    }
    report(job, {
      action: password === undefined ? "disable" : "set",
      file,
      user,
      realm,
      set: done.set,
      deleted: done.deleted,
      kept: done.kept,
    });
  } finally {
    password?.fill(0);
  }
}

/** What the secrets are made with; a setting that no mechanism asks for may be what it likes. */
function secretOptions(job: Job, mechanisms: readonly SecretMechanism[]): SetPasswordOptions {
  const { otpSeed, otpAlgorithm, scramSalt } = job.args;
  const hasOtp = mechanisms.includes("OTP");
  const hasScram = mechanisms.some((name) => name !== "OTP");
  return {
    hostname: job.hostname,
    otpSeed,
    otpAlgorithm: otpAlgorithm ?? (hasOtp ? configuredAlgorithm(job) : undefined),
    scramSalt,
    scramIterations: hasScram ? configuredIterations(job) : undefined,
  };
}

async function renameRealm(job: Job, from: string, to: string): Promise<void> {
  const { program, file } = job;
  const { users, bound } = await update(job, (database) => {
    const renamed = database.renameRealm(from, to);
    if (renamed.users.length === 0) throw fail(program, SASL_FAIL, `${file}: no user in realm ${printable(from)}`);
    return renamed;
  });
  for (const user of bound)
    say(`${program}: warning: ${printable(`${user}@${to}`)}: cmusaslsecretDIGEST-MD5 holds the old realm: set the password anew\n`);
  report(job, { action: "rename-realm", file, from, to, users });
}

async function update<T>(job: Job, change: (database: Sasldb) => T): Promise<T> {
  const { program, args, format, file } = job;
  // Loaded when it is needed: somebody who is asked for a password waits for no engine.
  const { updateSasldb } = await import("../sasldb/sasldb-file.ts");
  // What is begun is brought to its end, and nothing is left beside the file.
  const forget = onSignal(() => {});
  try {
    return await updateSasldb(file, change, {
      format: format.format,
      fileId: format.fileId,
      inPlace: args.inPlace,
      onWait: (lock) => say(`${program}: waiting for another program that is changing ${file} (${lock})\n`),
    });
  } finally {
    forget();
  }
}

function report({ args, output }: Job, done: Readonly<Record<string, unknown>>): void {
  if (args.json) output.write(`${jsonText(done)}\n`);
}

/**
 * As the plugins would: those that are asked for, or OTP and, where the
 * configuration turns it on, SCRAM; in the order of the server's own list, or
 * of mech_list, which leaves out the others.
 */
function chooseMechanisms({ program, args, configuration }: Job): readonly SecretMechanism[] {
  const wanted = args.mechanisms ?? (configuration.isOn("scram_secret_generate") ? SECRET_MECHANISMS : ["OTP"]);
  const listed = configuration.list("mech_list")?.map((name) => name.toUpperCase().replace(/-PLUS$/, ""));
  if (listed === undefined) return SECRET_MECHANISMS.filter((name) => wanted.includes(name));
  const left = (args.mechanisms ?? []).filter((name) => !listed.includes(name));
  if (left.length > 0) say(`${program}: warning: ${configuration.path}: mech_list leaves out ${left.join(", ")}\n`);
  return listed.flatMap((name) => wanted.filter((mechanism) => mechanism === name));
}

function configuredAlgorithm(job: Job): NewOtpAlgorithm | undefined {
  const name = job.configuration.get("otp_mda");
  if (name === undefined) return undefined;
  const algorithm = NEW_OTP_ALGORITHMS.find((one) => one === name.toLowerCase());
  if (algorithm === undefined) throw badSetting(job, "otp_mda", `not one of ${NEW_OTP_ALGORITHMS.join(", ")}`);
  return algorithm;
}

function configuredIterations(job: Job): number | undefined {
  const text = job.configuration.get("scram_iteration_counter");
  if (text === undefined) return undefined;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1) throw badSetting(job, "scram_iteration_counter", "not a number from 1 to 999999999");
  return count;
}

function badSetting({ program, configuration }: Job, key: string, what: string): Exit {
  return fail(program, SASL_FAIL, `${configuration.path}: ${key}: "${configuration.get(key)}" is ${what}`);
}

/** Another store than sasldb is none of ours. */
function requireSasldb({ program, configuration }: Job): void {
  const stores = configuration.list("auxprop_plugin");
  if (stores === undefined || stores.some((name) => name.toLowerCase() === "sasldb")) return;
  throw fail(program, SASL_NOMECH, `${configuration.path}: auxprop_plugin: sasldb is not among "${stores.join(" ")}"`);
}

async function readPassword(job: Job): Promise<Uint8Array> {
  const { program } = job;
  const [password, again = password] = await passwordFromWhere(job);
  const isSame = Buffer.compare(password, again) === 0;
  const fault = passwordFault(password);
  if (again !== password) again.fill(0);
  if (!isSame || fault !== undefined) password.fill(0);
  if (fault === "too-long" || (isSame && fault !== undefined)) throw fail(program, SASL_BADPARAM, faultText(fault));
  if (!isSame) {
    say(`${program}: passwords don't match; aborting\n`);
    throw new Exit(SASL_BADPARAM);
  }
  const doubt = await passwordDoubt(password);
  if (doubt !== undefined) say(`${program}: warning: ${doubtText(doubt)}\n`);
  return password;
}

/** The password, and that of the verification where there is one. */
async function passwordFromWhere({ program, args, output }: Job): Promise<readonly [Uint8Array, Uint8Array?]> {
  const { passwordFile, passwordVariable } = args;
  if (passwordFile !== undefined && passwordVariable !== undefined)
    throw new SettingError("--password-file and --password-env: one of them alone");
  if (passwordVariable !== undefined) return [passwordFromEnvironment(passwordVariable, process.env)];
  try {
    if (passwordFile !== undefined) return [passwordFromFile(passwordFile)];
    if (!isTerminal()) return [await passwordFromPipe()];
    if (args.pipe) return [await passwordFromLine()];
  } catch (error) {
    throw fail(program, SASL_FAIL, `${passwordFile ?? "standard input"}: ${strerror(error)}`);
  }
  return await passwordTwice(output);
}
