/**
 * The client's side of each mechanism: published exchanges, what sendmail was
 * recorded to send, and what a client does not go on with.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Conversation, type Login, LoginError } from "#src/authinfo/login/conversation.js";
import { digestMd5 } from "#src/authinfo/login/digest-md5.js";
import { loginNames } from "#src/authinfo/login/login-names.js";
import { LOGIN_CLIENTS } from "#src/authinfo/login/mechanisms.js";
import { authinfoCases, DIGEST_NONCE, DIGEST_REALM, predictionFor, SERVER } from "../../support/authinfo-cases.ts";

interface Example {
  readonly user: string;
  readonly password: string;
  readonly authorizationId?: string;
  readonly nonce?: string;
  readonly uri?: string;
}

function loginOf({ user, password, authorizationId, nonce = "nonce", uri = "smtp/relay.example.com" }: Example): Login {
  return {
    authorizationId: authorizationId === undefined ? undefined : Buffer.from(authorizationId),
    authenticationId: Buffer.from(user),
    password: Buffer.from(password),
    digestUri: uri,
    nonce: () => nonce,
  };
}

function start(mechanism: string, example: Example): Conversation {
  const client = LOGIN_CLIENTS.get(mechanism);
  assert.ok(client !== undefined, mechanism);
  return client(loginOf(example));
}

/** What the client says: first, and to each challenge. */
function say(conversation: Conversation, ...challenges: readonly string[]): (string | undefined)[] {
  const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : Buffer.from(bytes).toString());
  const first = conversation.next().value;
  return [text(first?.bytes), ...challenges.map((challenge) => text(conversation.next(Buffer.from(challenge)).value?.bytes))];
}

function failsWith(code: LoginError["code"], pattern = /./): (error: unknown) => boolean {
  return (error) => error instanceof LoginError && error.code === code && pattern.test(error.message);
}

describe("published exchanges", () => {
  it("PLAIN: RFC 4616, section 4", () => {
    assert.deepEqual(say(start("PLAIN", { user: "tim", password: "tanstaaftanstaaf" })), ["\0tim\0tanstaaftanstaaf"]);
    assert.deepEqual(say(start("PLAIN", { user: "Kurt", password: "xipj3plmq", authorizationId: "Ursel" })), ["Ursel\0Kurt\0xipj3plmq"]);
  });

  it("LOGIN: the name, then the password, whatever is asked", () => {
    assert.deepEqual(say(start("LOGIN", { user: "tim", password: "secret", authorizationId: "x" }), "Username:", ""), [
      undefined,
      "tim",
      "secret",
    ]);
  });

  it("CRAM-MD5: RFC 2195, section 2", () => {
    const said = say(start("CRAM-MD5", { user: "tim", password: "tanstaaftanstaaf" }), "<1896.697170952@postoffice.reston.mci.net>");
    assert.deepEqual(said, [undefined, "tim b913a602c7eda7a495b4e6e7334d3890"]);
  });

  it("DIGEST-MD5: RFC 2831, section 4", () => {
    const conversation = start("DIGEST-MD5", {
      user: "chris",
      password: "secret",
      nonce: "OA6MHXh6VqTrRk",
      uri: "imap/elwood.innosoft.com",
    });
    const challenge = 'realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8';
    const [first, response, last] = say(conversation, challenge, "rspauth=ea40f60335c427b5527b84dbabcdfffd");
    assert.equal(first, undefined);
    assert.match(response ?? "", /^username="chris",realm="elwood\.innosoft\.com",nonce="OA6MG9tEQGm2hh",cnonce="OA6MHXh6VqTrRk",/);
    assert.match(response ?? "", /,charset=utf-8,.*,digest-uri="imap\/elwood\.innosoft\.com",response=d388dad90d4bbd760a152321f2143af7$/);
    assert.equal(last, "");
    assert.equal(conversation.next(new Uint8Array()).done, true);
  });

  it("SCRAM-SHA-1: RFC 5802, section 5", () => {
    const conversation = start("SCRAM-SHA-1", { user: "user", password: "pencil", nonce: "fyko+d2lbbFgONRv9qkxdawL" });
    const nonce = "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j";
    assert.deepEqual(say(conversation, `r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), [
      "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
      `c=biws,r=${nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`,
      "",
    ]);
  });

  it("SCRAM-SHA-256: RFC 7677, section 3", () => {
    const conversation = start("SCRAM-SHA-256", { user: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO" });
    const nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const said = say(conversation, `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    assert.deepEqual(said.slice(1), [`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`, ""]);
  });

  it("OTP: RFC 2289, appendix C", () => {
    const said = say(start("OTP", { user: "user", password: "This is a test." }), "otp-md5 99 TeSt ext");
    assert.deepEqual(said, ["\0user", "hex:50fe1962c4965880"]);
    assert.equal(say(start("OTP", { user: "user", password: "This is a test." }), "otp-sha1 99 test ext,hex")[1], "hex:87fec7768b73ccf9");
  });
});

describe("what a client sends besides", () => {
  it("SCRAM: names in which a comma and an equals sign are spelt out", () => {
    assert.deepEqual(say(start("SCRAM-SHA-512", { user: "a,b", password: "x", authorizationId: "c=d" })), ["n,a=c=3Dd,n=a=2Cb,r=nonce"]);
  });

  it("DIGEST-MD5: the server's name for a realm where it names none", () => {
    const [, response] = say(start("DIGEST-MD5", { user: "u", password: "p" }), 'nonce="x",algorithm=md5-sess');
    assert.match(response ?? "", /,realm="relay\.example\.com",/);
  });

  it("the last message is known as such", () => {
    const ends = (mechanism: string, ...challenges: readonly string[]): boolean[] => {
      const conversation = start(mechanism, { user: "u", password: "p" });
      const messages = [conversation.next().value, ...challenges.map((text) => conversation.next(Buffer.from(text)).value)];
      return messages.map((message) => message?.isLast === true);
    };
    assert.deepEqual(ends("PLAIN"), [true]);
    assert.deepEqual(ends("LOGIN", "", ""), [false, false, true]);
    assert.deepEqual(ends("CRAM-MD5", "<x>"), [false, true]);
    assert.deepEqual(ends("DIGEST-MD5", "nonce=x,algorithm=md5-sess"), [false, false]);
    assert.deepEqual(ends("OTP", "otp-md5 9 ab1234 ext"), [false, true]);
  });
});

describe("DIGEST-MD5 as sendmail was recorded", () => {
  const directives = (text: string): Record<string, string> =>
    Object.fromEntries(
      Array.from(text.matchAll(/([\w-]+)=(?:"((?:\\.|[^"\\])*)"|([^,]*))/gs), ([, name = "", quoted, token = ""]) => [
        name,
        quoted?.replace(/\\(.)/gs, "$1") ?? token,
      ]),
    );
  let count = 0;
  for (const recorded of authinfoCases("authinfo-more.json")) {
    const { client, credentials } = predictionFor(recorded);
    const [exchange] = recorded.auth_parsed;
    if (exchange === undefined || !("fields" in exchange) || client.outcome !== "authenticates") continue;
    count++;
    it(recorded.id, () => {
      const cnonce = exchange.fields["cnonce"] ?? "";
      const { authorizationId, authenticationId } = loginNames(client, credentials);
      const password = credentials?.password ?? new Uint8Array();
      const conversation = digestMd5({
        authorizationId,
        authenticationId,
        password,
        digestUri: `smtp/${SERVER.name}`,
        nonce: () => cnonce,
      });
      conversation.next();
      const challenge = Buffer.from(`realm="${DIGEST_REALM}",nonce="${DIGEST_NONCE}",qop="auth",algorithm=md5-sess`);
      const response = conversation.next(challenge).value?.bytes ?? new Uint8Array();
      assert.deepEqual(directives(Buffer.from(response).toString("latin1")), exchange.fields);
    });
  }
  it("there are some", () => assert.ok(count > 20, String(count)));
});

describe("what a client does not go on with", () => {
  const SECRET = { user: "user", password: "secret" };

  it("DIGEST-MD5: a challenge that is none, or asks for what there is not", () => {
    const give = (challenge: string): unknown => say(start("DIGEST-MD5", SECRET), challenge);
    const base = "algorithm=md5-sess";
    for (const challenge of [
      "",
      "nonsense",
      'nonce="x',
      `nonce="x" ${base}`,
      `nonce="x",nonce="y",${base}`,
      base,
      'nonce="x"',
      'nonce="x",algorithm=md5',
    ])
      assert.throws(() => give(challenge), failsWith("challenge"), challenge);
    assert.throws(() => give(`nonce=x,${base},qop="auth-int,auth-conf"`), failsWith("challenge", /layer/));
    assert.throws(() => give(`realm="a",realm="b",nonce=x,${base}`), failsWith("challenge", /several realms/));
    assert.throws(() => give(`nonce="${"x".repeat(3000)}",${base}`), failsWith("challenge", /too long/));
    assert.doesNotThrow(() => give(` , nonce = "x" , , ${base} ,qop="auth,auth-int"`));
  });

  it("DIGEST-MD5: an rspauth of one who does not know the password", () => {
    for (const answer of ["", `rspauth=${"0".repeat(32)}`, 'rspauth=""', "x=y"])
      assert.throws(() => say(start("DIGEST-MD5", SECRET), "nonce=x,algorithm=md5-sess", answer), failsWith("proof"), answer);
  });

  it("SCRAM: a challenge that is none, or too much work", () => {
    const give = (challenge: string): unknown => say(start("SCRAM-SHA-256", SECRET), challenge);
    for (const challenge of [
      "",
      "r=nonce1",
      "s=QQ==,r=nonce1,i=1",
      "m=x,r=nonce1,s=QQ==,i=1",
      "r=nonce1,s=Q,i=1",
      "r=nonce1,s==,i=1",
      "r=nonce1,s=QQ==,i=0",
      "r=nonce1,s=QQ==,i=-1",
    ])
      assert.throws(() => give(challenge), failsWith("challenge"), challenge);
    assert.throws(() => give("r=other,s=QQ==,i=1"), failsWith("challenge", /nonce/));
    assert.throws(() => give("r=nonce,s=QQ==,i=1"), failsWith("challenge", /nonce/));
    assert.throws(() => give("r=nonce1,s=QQ==,i=2147483647"), failsWith("challenge", /iterations/));
  });

  it("SCRAM: a signature of one who does not know the password", () => {
    const give = (answer: string): unknown => say(start("SCRAM-SHA-1", SECRET), "r=nonce1,s=QQ==,i=1", answer);
    assert.throws(() => give("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), failsWith("proof"));
    assert.throws(() => give("e=invalid-proof"), failsWith("refused"));
    assert.throws(() => give(""), failsWith("challenge"));
  });

  it("CRAM-MD5 and OTP: a challenge that is none", () => {
    assert.throws(() => say(start("CRAM-MD5", SECRET), ""), failsWith("challenge"));
    assert.throws(() => say(start("CRAM-MD5", SECRET), "x".repeat(1025)), failsWith("challenge"));
    for (const challenge of [
      "",
      "otp-md5 1 ab",
      "otp-md9 1 ab ext",
      "otp-md5 99999 ab ext",
      "otp-md5 1 a-b ext",
      `otp-md5 1 ${"a".repeat(17)} ext`,
    ])
      assert.throws(() => say(start("OTP", SECRET), challenge), failsWith("challenge"), challenge);
  });

  it("none says the password, or what the server said", () => {
    for (const mechanism of LOGIN_CLIENTS.keys()) {
      const conversation = start(mechanism, { user: "user", password: "hunter2hunter2" });
      try {
        for (let i = 0; i < 4; i++) conversation.next(Buffer.from(`tell-tale hunter2hunter2 ${i}`));
      } catch (error) {
        assert.ok(error instanceof LoginError, String(error));
        assert.doesNotMatch(error.message, /hunter2|tell-tale/);
      }
    }
  });
});
