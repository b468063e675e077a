/**
 * From a manifest to the fleet that it asks for: names become what they stand
 * for, and all that the schema cannot say is checked.
 */
import { type FileFormat, targetFormat } from "../hash-file/file-format.ts";
import { splitUserid } from "../sasldb/name.ts";
import { KEY_MEND } from "./derivation.ts";
import type {
  ArtifactSpec,
  DatabaseSpec,
  EntrySpec,
  Fleet,
  FormatOverrides,
  Host,
  MapSource,
  MapSpec,
  SecretUse,
  UserSpec,
} from "./fleet.ts";
import type {
  ManifestArtifact,
  ManifestDatabase,
  ManifestEntry,
  ManifestFormat,
  ManifestHost,
  ManifestMap,
  ManifestNamedHost,
  ManifestUser,
  SecretReference,
  SecretSource,
} from "./manifest.ts";
import { ManifestError, type ManifestProblem } from "./manifest-error.ts";
import type { ManifestFile } from "./manifest-file.ts";
import { nameOf, type Path } from "./manifest-path.ts";
import { nearest } from "./nearest.ts";
import { mergeHost } from "./profiles.ts";
import { WAYS } from "./secret-source.ts";
import { SET_FILES } from "./set-files.ts";

/** saslpasswd makes databases, and makemap maps, that nobody else reads. */
const DATABASE_MODE = 0o600;
const MAP_MODE = 0o640;

/**
 * @param overrides what is said more strongly than anything in the manifest.
 * @throws {ManifestError}
 */
export function resolveFleet(file: ManifestFile, overrides: FormatOverrides): Fleet {
  return new Resolver(file, overrides).fleet();
}

/** A host, or one of its profiles, and its place. */
interface Layer {
  readonly path: Path;
  readonly part: ManifestHost;
}

class Resolver {
  readonly #file: ManifestFile;
  readonly #overrides: FormatOverrides;
  readonly #problems: ManifestProblem[] = [];
  readonly #names: readonly string[];

  constructor(file: ManifestFile, overrides: FormatOverrides) {
    this.#file = file;
    this.#overrides = overrides;
    this.#names = Object.keys(file.manifest.secrets ?? {});
  }

  fleet(): Fleet {
    const { hosts, policy = {}, key, secrets = {} } = this.#file.manifest;
    for (const [name, source] of Object.entries(secrets)) this.#checkSource(source, ["secrets", name]);
    const resolved = Object.keys(hosts).map((name) => this.#host(name));
    const keyUse = key === undefined ? undefined : this.#secret(key, ["key"]);
    this.#checkKey(resolved, keyUse);
    if (this.#problems.length > 0) throw new ManifestError(sorted(this.#problems));
    return { hosts: resolved, policy, key: keyUse };
  }

  #problem(path: Path, message: string): void {
    this.#problems.push({ place: this.#file.placeOf(path), message: `${nameOf(path)}: ${message}` });
  }

  #host(name: string): Host {
    const layers = this.#layers(name);
    const part = layers.map((layer) => layer.part).reduce(mergeHost);
    if (SET_FILES.includes(name)) this.#problem(["hosts", name], "the name of a file of the set, and no host's");
    this.#checkRelays(part, layers);
    const databases = Object.entries(part.databases ?? {}).map(([file, database]) => this.#database(name, part, layers, file, database));
    const maps = Object.entries(part.maps ?? {}).map(([file, map]) => this.#map(name, part, layers, file, map));
    const seen = new Set<string>();
    for (const { path, place } of [...databases, ...maps]) {
      if (seen.has(path)) this.#problems.push({ place, message: `${path}: two of the host's files cannot be one` });
      seen.add(path);
    }
    return {
      name,
      place: this.#file.placeOf(["hosts", name]),
      authMechanisms: part["auth-mechanisms"],
      authMechanismsPlace: this.#file.placeOf(this.#locate(layers, ["auth-mechanisms"])),
      relays: part.relays ?? [],
      databases,
      maps,
    };
  }

  /** The profiles of a host and the host itself, the weakest first. */
  #layers(name: string): Layer[] {
    const { hosts, profiles = {} } = this.#file.manifest;
    const path = ["hosts", name];
    const { profile = [], ...part } = hosts[name] as ManifestNamedHost;
    const layers: Layer[] = [];
    for (const [i, wanted] of ([profile].flat() as string[]).entries()) {
      const found = Object.hasOwn(profiles, wanted) ? profiles[wanted] : undefined;
      if (found === undefined) {
        const near = nearest(wanted, Object.keys(profiles));
        const place = typeof profile === "string" ? ["profile"] : ["profile", i];
        this.#problem([...path, ...place], `not the name of one of the profiles${near === undefined ? "" : `: ${near}?`}`);
      } else {
        layers.push({ path: ["profiles", wanted], part: found });
      }
    }
    return [...layers, { path, part }];
  }

  /** The path of a part in the strongest layer that has it. */
  #locate(layers: readonly Layer[], within: Path): Path {
    const layer = layers.findLast(({ path }) => this.#file.has([...path, ...within])) ?? (layers.at(-1) as Layer);
    return [...layer.path, ...within];
  }

  #artifact(host: string, part: ManifestHost, path: Path, file: string, artifact: ManifestArtifact, usualMode: number): ArtifactSpec {
    return {
      host,
      path: `${host}/${file}`,
      place: this.#file.placeOf(path),
      format: this.#format(path, [artifact, part, this.#file.manifest.settings ?? {}]),
      install: artifact.install,
      owner: artifact.owner,
      group: artifact.group,
      mode: artifact.mode === undefined ? usualMode : Number.parseInt(artifact.mode, 8),
    };
  }

  /** @param layers the strongest first. */
  #format(path: Path, layers: readonly ManifestFormat[]): FileFormat {
    const { target, byteOrder, hashVersion, pageSize } = this.#overrides;
    const first = <K extends keyof ManifestFormat>(name: K): ManifestFormat[K] | undefined =>
      layers.find((layer) => layer[name] !== undefined)?.[name];
    const host = target ?? first("target");
    if (host === undefined) this.#problem(path, "which host is it for? say target: aix or target: native, here or under settings");
    const usual = targetFormat(host ?? "native");
    return {
      byteOrder: byteOrder ?? first("byte-order") ?? usual.byteOrder,
      hashVersion: hashVersion ?? first("hash-version") ?? usual.hashVersion,
      pageSize: pageSize ?? first("page-size") ?? usual.pageSize,
    };
  }

  #database(host: string, part: ManifestHost, layers: readonly Layer[], name: string, database: ManifestDatabase): DatabaseSpec {
    const within = ["databases", name];
    const { realm = host, mechanisms = ["OTP"], plain = true, users = {} } = database;
    const specs: UserSpec[] = [];
    for (const [userid, value] of Object.entries(users)) {
      const path = this.#locate(layers, [...within, "users", userid]);
      if (value === null) {
        // Not in silence: { alice:password } is a user of that name, which is not quoted, with nothing behind it.
        if (!layers.some(({ part: { databases = {} } }) => databases[name]?.users?.[userid] != null))
          this.#problems.push({
            place: this.#file.placeOf(path),
            message: `${nameOf(path.slice(0, -1))}: a user with nothing behind the name, who is taken out; and no profile of the host has one of that name`,
          });
        continue;
      }
      const own: ManifestUser = typeof value === "string" ? { password: value } : value;
      const named = splitUserid(userid, realm);
      if (named.user === "") this.#problem(path, "a user without a name");
      if (userid.includes("\0")) this.#problem(path, "a name with a NUL in it");
      if (own.password === undefined) this.#problem(path, "password is missing");
      const user: UserSpec = {
        ...named,
        place: this.#file.placeOf(path),
        password: this.#secret(own.password ?? {}, typeof value === "string" ? path : [...path, "password"], own.password !== undefined),
        mechanisms: own.mechanisms ?? mechanisms,
        plain: own.plain ?? plain,
      };
      if (!user.plain && user.mechanisms.length === 0)
        this.#problem(path, "nothing to log in with: neither a plain password nor a mechanism's own secret");
      if (specs.some((other) => other.user === user.user && other.realm === user.realm)) this.#problem(path, "the same user twice");
      specs.push(user);
    }
    const path = this.#locate(layers, within);
    return {
      kind: "database",
      ...this.#artifact(host, part, path, name, database, DATABASE_MODE),
      users: specs,
      otpAlgorithm: database["otp-hash"] ?? "md5",
      generation: database.generation ?? 1,
    };
  }

  #map(host: string, part: ManifestHost, layers: readonly Layer[], name: string, map: ManifestMap): MapSpec {
    const path = this.#locate(layers, ["maps", name]);
    const { type = "hash", duplicates = "refuse", delimiter, comment } = map;
    return {
      kind: "map",
      ...this.#artifact(host, part, path, name.endsWith(".db") ? name : `${name}.db`, map, MAP_MODE),
      type,
      source: this.#source(layers, name, path, map),
      options: {
        includeNul: map.null ?? false,
        keepCase: map["keep-case"] ?? false,
        allowEmptyValue: map["empty-values"] ?? false,
        ...(delimiter !== undefined && { delimiterByte: delimiter.charCodeAt(0) }),
        ...(comment !== undefined && { commentByte: comment === "" ? 0 : comment.charCodeAt(0) }),
      },
      duplicates,
    };
  }

  #source(layers: readonly Layer[], name: string, path: Path, { source, entries }: ManifestMap): MapSource {
    if (source !== undefined && entries !== undefined) this.#problem(path, "either source or entries, not both");
    if (typeof source === "string") return { kind: "file", file: source };
    if (source !== undefined) {
      return { kind: "secret", secret: this.#secret(source, this.#locate(layers, ["maps", name, "source"])) };
    }
    if (entries === undefined) this.#problem(path, "source is missing: the text that the map is made from, or entries in its place");
    return {
      kind: "entries",
      entries: Object.entries(entries ?? {}).map(([server, entry]) =>
        this.#entry(server, entry, this.#locate(layers, ["maps", name, "entries", server])),
      ),
    };
  }

  #entry(server: string, { user, login, password, realm, mechanisms }: ManifestEntry, path: Path): EntrySpec {
    if (!user && !login) this.#problem(path, "login is missing: the user that logs in");
    const secret = this.#secret(password, [...path, "password"]);
    return { server, place: this.#file.placeOf(path), user, login, password: secret, realm, mechanisms };
  }

  /** @param isGiven false where there is none, which has been told. */
  #secret(reference: SecretReference, path: Path, isGiven = true): SecretUse {
    if (typeof reference !== "string") {
      if (isGiven) this.#checkSource(reference, path);
      return { name: nameOf(path), source: reference, place: this.#file.placeOf(path) };
    }
    const { secrets = {} } = this.#file.manifest;
    const source = Object.hasOwn(secrets, reference) ? secrets[reference] : undefined;
    // The word itself may be a password, by somebody who took this for the place of one.
    const near = source === undefined ? nearest(reference, this.#names) : undefined;
    if (source === undefined)
      this.#problem(
        path,
        `not the name of one of the secrets${near === undefined ? "; a password stands in none but { inline: … }" : `: ${near}?`}`,
      );
    return { name: reference, source: source ?? {}, place: this.#file.placeOf(["secrets", reference]) };
  }

  #checkSource(source: SecretSource, path: Path): void {
    const ways = WAYS.filter((way) => source[way] !== undefined);
    if (ways.length !== 1)
      this.#problem(
        path,
        `one of ${WAYS.join(", ")} says where it comes from${ways.length === 0 ? "" : `; here are ${ways.join(" and ")}`}`,
      );
    if (source.identity !== undefined && source.age === undefined) this.#problem(path, "identity goes with age");
    if (source.changed !== undefined && !isDay(source.changed)) this.#problem([...path, "changed"], "has to be a day: 2026-11-25");
  }

  #checkRelays({ relays = [] }: ManifestHost, layers: readonly Layer[]): void {
    const { hosts } = this.#file.manifest;
    for (const [i, relay] of relays.entries()) {
      if (Object.hasOwn(hosts, relay)) continue;
      const near = nearest(relay, Object.keys(hosts));
      const path = [...this.#locate(layers, ["relays"]), i];
      this.#problem(path, `not the name of one of the hosts${near === undefined ? "" : `: ${near}?`}`);
    }
  }

  /** Without a secret in them, salts can be known beforehand, and passwords be tried on the checksums of files. */
  #checkKey(hosts: readonly Host[], key: SecretUse | undefined): void {
    if (key !== undefined) return;
    const needs = hosts
      .flatMap(({ databases, maps }) => [
        ...databases.filter(({ users }) => users.length > 0),
        ...maps.filter(({ source }) => source.kind !== "file"),
      ])
      .at(0);
    if (needs !== undefined)
      this.#problems.push({ place: needs.place, message: `key is missing: ${needs.path} is made with it. ${KEY_MEND}` });
  }
}

function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** In the order of the text, each once: what is wrong in a profile is found for each of its hosts. */
function sorted(problems: readonly ManifestProblem[]): ManifestProblem[] {
  const once = new Map(problems.map((problem) => [`${problem.place.line}:${problem.place.column}:${problem.message}`, problem]));
  return [...once.values()].sort((a, b) => (a.place.line ?? 0) - (b.place.line ?? 0) || (a.place.column ?? 0) - (b.place.column ?? 0));
}
