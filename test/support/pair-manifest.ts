/**
 * The manifest of a relay and a client of it: one password, `alice`, and a key,
 * `fleet.key`, in files beside it.
 */
export const PAIR_MANIFEST = `version: 1
settings: { target: aix }
key: { file: fleet.key }
secrets:
  alice: { file: alice }
hosts:
  relay1.example.com:
    databases:
      sasldb2: { users: { alice: alice } }
  client1.example.com:
    relays: [relay1.example.com]
    maps:
      smtp-auth:
        entries:
          relay1.example.com: { user: root, login: alice@relay1.example.com, password: alice }
`;
