/**
 * Exit codes of sendmail's programs (sysexits.h).
 */
export const EX_OK = 0;
export const EX_USAGE = 64;
export const EX_DATAERR = 65;
export const EX_NOINPUT = 66;
export const EX_CANTCREAT = 73;
export const EX_IOERR = 74;
/** What a shell makes of a program that SIGPIPE ended, which Node does not let end it. */
export const EX_SIGPIPE = 141;
