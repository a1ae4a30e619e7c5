/**
 * A value that is there already, or will be. Nearly every read of configuration is answered from
 * memory; a promise for each would be a good part of the cost of a request. `await` takes both.
 */
export type Soon<T> = T | Promise<T>;

export function isPromise<T>(value: Soon<T>): value is Promise<T> {
  return value instanceof Promise;
}

/**
 * Goes on with a value, at once if it is there. What `next` throws is thrown then, else it rejects.
 */
export function soon<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** All of them, at once if all are there. */
export function allSoon<T>(values: readonly Soon<T>[]): Soon<readonly T[]> {
  return values.some(isPromise) ? Promise.all(values) : (values as readonly T[]);
}
