/**
 * A manifest with one relay and one client, whose secrets are in the
 * environment.
 */
export const SMALL_FLEET = `version: 1
settings: { target: aix }
key: fleet-key
secrets:
  fleet-key: { env: FLEET_KEY }
  alice: { env: ALICE }
policy: { min-length: 12 }
hosts:
  relay1.example.com:
    auth-mechanisms: [DIGEST-MD5, CRAM-MD5]
    databases:
      sasldb2: { mode: "0600", users: { alice: alice } }
  client1.example.com:
    relays: [relay1.example.com]
    maps:
      smtp-auth:
        mode: "0640"
        entries:
          relay1.example.com: { user: root, login: alice@relay1.example.com, password: alice }
`;

export const SMALL_FLEET_SECRETS = { FLEET_KEY: "0123456789abcdef0123456789abcdef", ALICE: "Tr0ub4dor-26zXq" } as const;
