/**
 * The names that sendmail hands to a mechanism.
 */
import type { ClientAttempt } from "../client.ts";
import type { AuthinfoCredentials } from "../value.ts";
import type { Login } from "./conversation.ts";

/** @param credentials those of the entry, in which an empty authorization id is none. */
export function loginNames(
  { authorizationId, authenticationId }: Pick<ClientAttempt, "authorizationId" | "authenticationId">,
  credentials: AuthinfoCredentials | undefined,
): Pick<Login, "authorizationId" | "authenticationId"> {
  return { authorizationId: credentials?.authorizationId.length === 0 ? undefined : authorizationId, authenticationId };
}
