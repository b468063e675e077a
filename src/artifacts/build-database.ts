/**
 * Makes a SASL database of a fleet: all its users, with secrets that are the
 * same at every build.
 */
import { turns } from "../files/turn.ts";
import { type PasswordFault, passwordFault } from "../sasldb/password.ts";
import { makeSasldb } from "../sasldb/sasldb-file.ts";
import type { ScramMechanism } from "../sasldb/scram.ts";
import { type Artifact, describeArtifact, type Workshop } from "./artifact.ts";
import { type Derivation, KEY_MEND, type UserIdentity } from "./derivation.ts";
import type { DatabaseSpec, UserSpec } from "./fleet.ts";
import { Inputs } from "./input.ts";
import { ManifestError } from "./manifest-error.ts";

/** @throws {ManifestError} */
export async function buildDatabase(spec: DatabaseSpec, workshop: Workshop): Promise<Artifact> {
  const inputs = new Inputs();
  // SCRAM takes a thousandth of a second for each user.
  const others = turns();
  const { derivation } = workshop;
  const bytes = await makeSasldb(
    async (database) => {
      for (const [i, user] of spec.users.entries()) {
        // A database without users is made without a key.
        if (derivation === undefined) throw new ManifestError([{ place: user.place, message: `key is missing. ${KEY_MEND}` }]);
        const password = passwordOf(user, workshop);
        inputs.addSecret(user.password, password, derivation);
        const identity = { host: spec.host, file: spec.path, user: user.user, realm: user.realm, generation: spec.generation };
        // One by one: each of them has a salt of its own.
        database.setPassword(user.user, user.realm, password, { mechanisms: [], plain: user.plain });
        for (const mechanism of user.mechanisms) {
          database.setPassword(user.user, user.realm, password, {
            mechanisms: [mechanism],
            plain: false,
            ...(mechanism === "OTP" ? otpOptions(spec, derivation, identity) : scramOptions(mechanism, derivation, identity)),
          });
        }
        await others();
        await workshop.onProgress?.({ path: spec.path, unit: "users", count: i + 1, done: i + 1, total: spec.users.length });
      }
    },
    { format: spec.format, fileId: derivation === undefined ? "content" : (content) => derivation.fileId(spec.path, content) },
  );
  return describeArtifact(spec, bytes, inputs.all());
}

function otpOptions(spec: DatabaseSpec, derivation: Derivation, identity: UserIdentity): object {
  return { otpSeed: derivation.otpSeed(identity), otpAlgorithm: spec.otpAlgorithm };
}

function scramOptions(mechanism: ScramMechanism, derivation: Derivation, identity: UserIdentity): object {
  return { scramSalt: derivation.scramSalt(identity, mechanism) };
}

const FAULTS: Readonly<Record<PasswordFault | "carriage-return", string>> = {
  empty: "it is empty",
  nul: "it has a NUL in it, at which a server would end it",
  "too-long": "it is longer than the 2048 bytes that saslpasswd reads",
  "carriage-return": "it ends in a carriage return, which nobody types: its file has the line ends of another system",
};

function passwordOf({ password }: UserSpec, { secrets }: Workshop): Uint8Array {
  const bytes = secrets.read(password);
  const fault = passwordFault(bytes) ?? (bytes.at(-1) === 0x0d ? "carriage-return" : undefined);
  if (fault !== undefined) throw new ManifestError([{ place: password.place, message: `secret ${password.name}: ${FAULTS[fault]}` }]);
  return bytes;
}
