/**
 * All of the public names, and only those: what is added or taken away is meant.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tsmakemap from "tsmakemap";
import * as artifacts from "tsmakemap/artifacts";

test("the names of the library", () => {
  assert.deepEqual(Object.keys(tsmakemap).sort(), [
    "CF_FINDINGS",
    "CF_REFUSALS",
    "DEFAULT_AUTH_MECHANISMS",
    "DatabaseBuilder",
    "DatabaseFile",
    "HASH_VERSIONS",
    "HashFileError",
    "LINT_RULES",
    "LOGIN_MECHANISMS",
    "LockedError",
    "MAP_TYPES",
    "MapBuilder",
    "MapWriteError",
    "NEW_OTP_ALGORITHMS",
    "SCRAM_MECHANISMS",
    "SECRET_MECHANISMS",
    "Sasldb",
    "SasldbError",
    "SourceParser",
    "TARGETS",
    "TEXT_FORMATS",
    "TextError",
    "TextReader",
    "TextWriter",
    "UserExistsError",
    "applyEdits",
    "authenticate",
    "cfFindingText",
    "cfMendText",
    "checkAgreement",
    "checkCf",
    "compareMaps",
    "convert",
    "dumpHeaderOf",
    "expandPercent",
    "findingText",
    "fixSource",
    "formatAuthinfoValue",
    "inspect",
    "isCf",
    "lintRecords",
    "lintSource",
    "mapFile",
    "maskRecord",
    "mendText",
    "openMap",
    "openSasldb",
    "otpSecret",
    "parseAuthinfoValue",
    "passwordDoubt",
    "passwordFault",
    "patchCf",
    "predictClient",
    "readContent",
    "readMap",
    "readersOf",
    "resolveAuthinfo",
    "scramSecret",
    "scrub",
    "setHashVersion",
    "targetFormat",
    "updateSasldb",
    "verify",
    "withMap",
  ]);
});

test("are what they are within", () => {
  assert.equal(tsmakemap.mapFile("m"), "m.db");
  assert.equal(tsmakemap.mapFile("m.db"), "m.db");
  assert.equal(tsmakemap.mapFile("m.DB"), "m.DB.db");
  assert.deepEqual(tsmakemap.MAP_TYPES, ["hash", "btree", "implicit"]);
  assert.deepEqual(tsmakemap.TARGETS.map(tsmakemap.targetFormat).at(-1), { byteOrder: "big", hashVersion: 8, pageSize: 4096 });
});

test("the names of the library for fleets", () => {
  assert.deepEqual(Object.keys(artifacts).sort(), [
    "CHECK_RULES",
    "ManifestError",
    "ManifestFile",
    "Project",
    "buildSet",
    "checkProject",
    "planSet",
  ]);
});
