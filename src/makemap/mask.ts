/** What stands for a secret, whatever its length. */
export const MASK = "***";
