/**
 * What is wrong with a text as YAML, in words of our own: those of the parser
 * quote what it stumbles over, which may be a password.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, visit, type YAMLError } from "yaml";

/** That of a code of the parser, a warning's among them. */
export function faultText({ code }: YAMLError): string {
  return TEXTS[code] ?? "is no YAML";
}

const TEXTS: Readonly<Record<YAMLError["code"], string>> = {
  ALIAS_PROPS: "an alias (*name) can have neither a tag nor an anchor: take it away",
  BAD_ALIAS: "an alias (*) or an anchor (&) without a good name: quote the text, if it is one",
  BAD_COLLECTION_TYPE: "a tag that does not fit: take it away",
  BAD_DIRECTIVE: "a directive (%) that is not known: take it away, or quote the text, if it is one",
  BAD_DQ_ESCAPE: 'a backslash that means nothing here: write it twice, or use single quotes in place of "…"',
  BAD_INDENT: "not indented as the lines around it, or within a bracket or brace that is not closed",
  BAD_PROP_ORDER: "a tag or an anchor in the wrong place: it stands behind the dash, the ? or the colon",
  BAD_SCALAR_START: "begins with a character that no text without quotes may begin with: quote it",
  BLOCK_AS_IMPLICIT_KEY: "a mapping within a line of another: put it on lines of its own, or quote the text, if it is one",
  BLOCK_IN_FLOW: "a block within brackets or braces: write it in brackets or braces too",
  DUPLICATE_KEY: "a key that is there already: put the two together",
  IMPOSSIBLE: "is no YAML",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters: is a colon missing, or a quote?",
  MISSING_CHAR: "something is missing here: a closing quote, bracket or brace, a comma, a colon or a blank",
  MULTILINE_IMPLICIT_KEY: "a key of several lines: is a colon missing, or a quote?",
  MULTIPLE_ANCHORS: "two anchors for one part: take one away",
  MULTIPLE_DOCS: "a second document begins: a manifest is one, take the line --- away",
  MULTIPLE_TAGS: "two tags for one part: take them away",
  NON_STRING_KEY: "a key that is no text: quote it",
  RESOURCE_EXHAUSTION: "parts within parts, too deep: no manifest is like that",
  TAB_AS_INDENT: "indented with a tab: use blanks",
  TAG_RESOLVE_FAILED: "a tag (!) that means nothing here: take it away, or quote the text, if it is one",
  UNEXPECTED_TOKEN: "something that cannot stand here: is a quote missing, or a line break?",
};

/** A part that the text has, and that nothing can be made of. */
export interface PartFault {
  readonly node: Node | undefined;
  readonly message: string;
}

/** What stands in the way where a document without faults of syntax has no content. */
export function contentFaults(document: Document, error: unknown): PartFault[] {
  const found: PartFault[] = [];
  visit(document, {
    Alias: (_, node) => {
      if (node.resolve(document) === undefined)
        found.push({
          node,
          message: "an alias (*) of nothing that stands before it: put an anchor (&) there, or quote the text, if it is one",
        });
    },
    Pair: (_, pair) => {
      const node = mergedBadly(pair, document);
      if (node !== undefined) found.push({ node, message: "<< merges mappings alone, or aliases of them" });
    },
  });
  if (found.length > 0) return found;
  if (error instanceof RangeError) return [{ node: undefined, message: TEXTS.RESOURCE_EXHAUSTION }];
  return [{ node: undefined, message: "aliases of aliases (*) make more of it than anybody can have meant" }];
}

/** The key of a merge of what is no mapping. */
function mergedBadly({ key, value }: Pair, document: Document): Node | undefined {
  if (!isScalar(key) || key.value !== "<<") return undefined;
  const mapping = (part: unknown): boolean => isMap(isAlias(part) ? part.resolve(document) : part);
  const source = isAlias(value) ? value.resolve(document) : value;
  return isMap(source) || (isSeq(source) && source.items.every(mapping)) ? undefined : key;
}
