/**
 * Reads the text of a manifest, which is YAML 1.2 or JSON, and holds it against
 * the published schema. Keeps the place of everything, for what is wrong later.
 */
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { Manifest } from "./manifest.ts";
import { ManifestError, type ManifestProblem, type Place } from "./manifest-error.ts";
import type { Path } from "./manifest-path.ts";
import { schemaProblems } from "./manifest-schema.ts";
import { contentFaults, faultText } from "./yaml-fault.ts";

/** Of more problems nobody reads. */
const MOST = 50;

export class ManifestFile {
  /** As it was named. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly #document: Document;
  readonly #lines: LineCounter;

  /**
   * @param name of the file, for messages.
   * @throws {ManifestError}
   */
  constructor(name: string, text: string) {
    this.name = name;
    this.#lines = new LineCounter();
    // Merge keys (<<) share parts within a manifest, as its profiles do.
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      merge: true,
      prettyErrors: false,
      stringKeys: true,
      resolveKnownTags: false,
    });
    const faults = [...this.#document.errors, ...this.#document.warnings];
    if (faults.length > 0) throw this.#error(faults.map((fault) => ({ place: this.#at(fault.pos[0]), message: faultText(fault) })));
    const content: unknown = this.#content();
    const problems = schemaProblems(content);
    if (problems.length > 0) throw this.#error(problems.map(({ path, message }) => ({ place: this.placeOf(path), message })));
    this.manifest = content as Manifest;
  }

  /** Where a part stands, or the nearest thing around it that is written out. */
  placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const found = this.#find(path.slice(0, length));
      if (found !== undefined) return this.#at(found);
    }
    return this.#placeOfNode(this.#document.contents);
  }

  /** Whether a part is written out. */
  has(path: Path): boolean {
    return this.#document.getIn(path) !== undefined;
  }

  /** A limit of the parser's own keeps aliases of aliases from growing without end. */
  #content(): unknown {
    try {
      return this.#document.toJS({ maxAliasCount: 1000 });
    } catch (error) {
      throw this.#error(contentFaults(this.#document, error).map(({ node, message }) => ({ place: this.#placeOfNode(node), message })));
    }
  }

  #error(problems: readonly ManifestProblem[]): ManifestError {
    const more = problems.length - MOST;
    if (more <= 0) return new ManifestError(problems);
    return new ManifestError([...problems.slice(0, MOST), { place: { file: this.name }, message: `and ${more} more of such problems` }]);
  }

  /** Its beginning; of what is nowhere, that of the text. */
  #placeOfNode(node: Node | null | undefined): Place {
    return this.#at(node?.range?.[0] ?? 0);
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.name, line, column: col };
  }

  /** The offset of the key of a part, or of an item of a list. */
  #find(path: Path): number | undefined {
    const parent: unknown = path.length === 1 ? this.#document.contents : this.#document.getIn(path.slice(0, -1), true);
    const last = path.at(-1);
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(last));
      const key: unknown = isPair(pair) ? pair.key : undefined;
      return isNode(key) ? key.range?.[0] : undefined;
    }
    const node: unknown = this.#document.getIn(path, true);
    return isNode(node) ? (node as Node).range?.[0] : undefined;
  }
}
