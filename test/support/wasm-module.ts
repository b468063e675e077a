/**
 * Tampering with a WebAssembly module: an exported function becomes one that
 * traps. Format: the WebAssembly core specification, "Binary format".
 */

const SECTION = { import: 2, export: 7, code: 10 } as const;
const KIND_FUNCTION = 0;

class Reader {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  u8(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error("the module ends too early");
    return byte;
  }

  /** An unsigned LEB128 number. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name(): string {
    return Buffer.from(this.take(this.u32())).toString("utf8");
  }
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function countImportedFunctions(section: Uint8Array): number {
  const reader = new Reader(section);
  let functions = 0;
  for (let left = reader.u32(); left > 0; left--) {
    reader.name();
    reader.name();
    if (reader.u8() !== KIND_FUNCTION) throw new Error("an import that is no function");
    reader.u32();
    functions += 1;
  }
  return functions;
}

function exportedFunction(section: Uint8Array, wanted: string): number {
  const reader = new Reader(section);
  for (let left = reader.u32(); left > 0; left--) {
    const name = reader.name();
    const kind = reader.u8();
    const index = reader.u32();
    if (kind === KIND_FUNCTION && name === wanted) return index;
  }
  throw new Error(`no function ${wanted} is exported`);
}

/** The code section with the body of one function `unreachable`. */
function replaceBody(section: Uint8Array, wanted: number): number[] {
  const reader = new Reader(section);
  const count = reader.u32();
  const result = leb(count);
  for (let index = 0; index < count; index++) {
    const body = reader.take(reader.u32());
    const replacement = index === wanted ? [0, 0x00, 0x0b] : body; // no locals, unreachable, end
    result.push(...leb(replacement.length));
    for (const byte of replacement) result.push(byte);
  }
  return result;
}

/** A copy of the module in which this export traps when it is called. */
export function trapIn(module: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const reader = new Reader(module);
  const result: number[] = [...reader.take(8)];
  let imported = 0;
  let index = -1;
  while (reader.at < module.length) {
    const id = reader.u8();
    const section = reader.take(reader.u32());
    if (id === SECTION.import) imported = countImportedFunctions(section);
    if (id === SECTION.export) index = exportedFunction(section, name) - imported;
    const content = id === SECTION.code ? replaceBody(section, index) : section;
    result.push(id, ...leb(content.length));
    for (const byte of content) result.push(byte);
  }
  return new Uint8Array(result);
}
