import type { Place } from "../services/cloudtrail/deliveries.ts";

/** Where one trail's objects lie. */
export interface ObjectPlace extends Place {
  readonly trailName: string;
  /** Region that requests to the bucket are signed for. */
  readonly region: string;
}

/** Objects of trails: in the data folder, or in buckets behind an S3 endpoint. */
export interface Objects {
  /** Durable when it answers; never half. Throws ObjectError. */
  put(place: ObjectPlace, key: string, object: NewObject): Promise<void>;
  /** Throws ObjectError if it cannot be known whether it is there. */
  get(place: ObjectPlace, key: string): Promise<Buffer | undefined>;
  /** Keys under a prefix that ends with a slash, in order. */
  list(place: ObjectPlace, prefix: string): Promise<readonly string[]>;
}

export interface NewObject {
  readonly bytes: Uint8Array;
  /** AWS: metadata of digests (`signature`, `signature-algorithm`). */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Storage said no, or could not be reached; `code` is what GetTrailStatus shows. */
export class ObjectError extends Error {
  override readonly name = "ObjectError";
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
