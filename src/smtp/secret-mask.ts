/**
 * Keeps secrets out of what a server says: it may give back what it was sent.
 */
import { latin1 } from "../authinfo/login/conversation.ts";

/** What is shown instead. */
export const MASK = "***";

/** So much of a secret is one too: a digest, or a proof. */
const LONG_WORD = /[A-Za-z0-9+/=_-]{16,}/g;
const BASE64 = /[A-Za-z0-9+/]{6,}={0,2}/g;

export class SecretMask {
  readonly #secrets = new Set<string>();

  /** Does not show these bytes, nor their base64 and hex. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const text = latin1(bytes);
    this.#secrets.add(text);
    for (const word of text.match(LONG_WORD) ?? []) this.#secrets.add(word);
    this.addBase64(bytes);
    this.#secrets.add(Buffer.from(text, "latin1").toString("hex"));
  }

  /** Does not show the base64 of these bytes. */
  addBase64(bytes: Uint8Array): void {
    const base64 = Buffer.from(latin1(bytes), "latin1").toString("base64").replace(/=+$/, "");
    if (base64 !== "") this.#secrets.add(base64);
  }

  /** Whether a text has a secret in it, in letters of either case, or in base64 of its own. */
  isSecret(text: string): boolean {
    if (this.#secrets.size === 0) return false;
    // A word may have something before it that is base64's too.
    const words = (text.match(BASE64) ?? []).flatMap((word) => [0, 1, 2, 3].map((start) => word.slice(start)));
    const decoded = words.map((word) => Buffer.from(word, "base64").toString("latin1"));
    // Of text that came as UTF-8 the bytes count; what is put between its letters does not.
    const bytes = Buffer.from(text).toString("latin1");
    const forms = [text, bytes, ...decoded].flatMap((form) => [form, form.replace(/\s+/g, "")]).map((form) => form.toLowerCase());
    return [...this.#secrets].some((secret) => forms.some((form) => form.includes(secret.toLowerCase())));
  }

  /** The text, or none of it: what is left between masks would say where the secret is. */
  shown(text: string): string {
    return this.isSecret(text) ? MASK : text;
  }
}
