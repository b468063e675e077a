/**
 * Which keys are asked for, in which order, and which entry wins.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AuthinfoMap, lookUpAuthinfo, type MapFlags } from "#src/authinfo/lookup.js";
import { type Resolution, resolveAuthinfo } from "#src/authinfo/resolve.js";
import { bytesOf, textOf } from "../support/bytes.ts";

const GOOD = '"U:user" "P:x"';

function resolve(records: Readonly<Record<string, string>>, mapFlags: MapFlags = {}, name = "Relay.Example.com"): Resolution {
  const all = Object.entries(records).map(([key, data]) => ({ key: bytesOf(key), data: bytesOf(data) }));
  return resolveAuthinfo(all, { name, address: "192.0.2.1" }, { mapFlags });
}

describe("lookups", () => {
  it("are for the name, the address, and any server", () => {
    const map = new AuthinfoMap(() => undefined);
    const { steps, entry } = lookUpAuthinfo(map, { name: "[192.0.2.1]", address: "192.0.2.1" });
    assert.deepEqual(
      steps.map(({ key, asked }) => [key, asked.map(textOf)]),
      [
        ["AuthInfo:[192.0.2.1]", ["authinfo:[192.0.2.1]", "authinfo:[192.0.2.1]\0"]],
        ["AuthInfo:192.0.2.1", ["authinfo:192.0.2.1", "authinfo:192.0.2.1\0"]],
        ["AuthInfo:", ["authinfo:", "authinfo:\0"]],
      ],
    );
    assert.equal(entry, undefined);
  });

  it("end at the first entry that is not passed over", () => {
    const records = { "authinfo:relay.example.com": "?", "authinfo:192.0.2.1": GOOD, "authinfo:": GOOD };
    const { steps, entry } = resolve(records);
    assert.deepEqual(
      steps.map(({ found }) => found?.value.special ?? textOf(found?.data ?? bytesOf("none"))),
      ["not-found", GOOD],
    );
    assert.equal(entry, steps[1]?.found);
  });

  it("end at an entry that cannot be used, too", () => {
    const { client, steps } = resolve({ "authinfo:relay.example.com": "rubbish", "authinfo:": GOOD });
    assert.equal(steps.length, 1);
    assert.deepEqual(client, { outcome: "sent-without-auth", reason: { code: "bad-entry", fault: { code: "not-quoted", offset: 0 } } });
  });

  it("take the first of several records with a key", () => {
    const [key, one, two] = ["authinfo:", '"U:one" "P:x"', '"U:two" "P:x"'].map(bytesOf) as [Uint8Array, Uint8Array, Uint8Array];
    const { entry } = resolveAuthinfo(
      [
        { key, data: one },
        { key, data: two },
      ],
      { name: "x" },
    );
    assert.equal(entry?.data, one);
  });

  it("cut a key at 256 bytes", () => {
    const map = new AuthinfoMap(() => undefined, { nul: "without" });
    assert.deepEqual(map.keysFor(bytesOf("A".repeat(300))).map(textOf), ["a".repeat(256)]);
  });

  it("remember whether keys have a NUL", () => {
    const asked: string[] = [];
    const map = new AuthinfoMap((key) => {
      asked.push(textOf(key));
      return key.at(-1) === 0 ? bytesOf("?\0") : undefined;
    });
    assert.equal(textOf(map.find(bytesOf("one"))?.data ?? bytesOf("")), "?");
    map.find(bytesOf("two"));
    assert.deepEqual(asked, ["one", "one\0", "two\0"]);
  });

  it("expand %0 to the key of that lookup", () => {
    const { entry } = resolve({ "authinfo:192.0.2.1": '"U:u" "P:%0"' });
    assert.equal(textOf(entry?.value.credentials?.password ?? bytesOf("")), "AuthInfo:192.0.2.1");
  });
});

describe("keys that are missed", () => {
  const missed = (key: string, flags?: MapFlags): unknown => resolve({ [key]: GOOD }, flags).missed.map(({ differences }) => differences);

  it("are those that differ in letter case or in a NUL", () => {
    assert.deepEqual(missed("AuthInfo:"), [["case"]]);
    assert.deepEqual(missed("AuthInfo:Relay.Example.com"), [["case"]]);
    assert.deepEqual(missed("authinfo:\0", { nul: "without" }), [["nul"]]);
    assert.deepEqual(missed("authinfo:", { nul: "with" }), [["nul"]]);
    assert.deepEqual(missed("AuthInfo:", { nul: "with" }), [["case", "nul"]]);
    assert.deepEqual(missed("authinfo:", { keepCase: true }), [["case"]]);
  });

  it("are none where an entry is found, or another is meant", () => {
    assert.deepEqual(resolve({ "authinfo:": GOOD, "AuthInfo:": GOOD }).missed, []);
    assert.deepEqual(missed("authinfo:other.example.com"), []);
  });
});
