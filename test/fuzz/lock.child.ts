/**
 * What the fuzzer's own test has it open: each right byte is a block further.
 */
export function open(input: Uint8Array): void {
  if (input[0] !== 0x4c) return;
  if (input[1] !== 0x6f) return;
  if (input[2] !== 0x63) return;
  if (input[3] !== 0x6b) return;
  throw new Error("open");
}
