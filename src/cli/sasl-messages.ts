/**
 * What tssaslpasswd and tssasldblist both say, in the words of Cyrus SASL 2.1.28.
 */

/** Exit codes: those of SASL results (sasl.h), without their sign. */
export const SASL_OK = 0;
export const SASL_FAIL = 1;
export const SASL_NOMECH = 4;
export const SASL_BADPARAM = 7;
export const SASL_CONFIGERR = 100;

const TEXTS: Readonly<Record<1 | 4 | 7 | 100, string>> = {
  1: "generic failure",
  4: "no mechanism available",
  7: "invalid parameter supplied",
  100: "error when parsing configuration file",
};
export type SaslFailure = keyof typeof TEXTS;

/** The text of a result, as sasl_errstring() has it. */
export function saslErrorText(code: SaslFailure): string {
  return TEXTS[code];
}

export const BANNER = `
This product includes software developed by Computing Services
at Carnegie Mellon University (http://www.cmu.edu/computing/).

`;

/** What -v answers: the version of the programs that these stand in for. */
export function saslVersion(): string {
  return `${BANNER}Built against SASL API version 2.1.28\nLibSasl version 2.1.28 by "Cyrus SASL"\n`;
}
