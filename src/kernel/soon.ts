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

/** What `act` comes to, or what `failed` makes of the error that it throws or rejects with. */
export function unless<T>(act: () => Soon<T>, failed: (error: unknown) => Soon<T>): Soon<T> {
  try {
    const value = act();
    return isPromise(value) ? value.catch(failed) : value;
  } catch (error) {
    return failed(error);
  }
}

/** All of them, at once if all are there. */
export function allSoon<T>(values: readonly Soon<T>[]): Soon<readonly T[]> {
  return values.some(isPromise) ? Promise.all(values) : (values as readonly T[]);
}

/**
 * What `act` makes of each, at once if nothing is to be waited for. All are begun: where one throws
 * while others are still to come, it is one that rejects, so that each of those has somebody who
 * hears how it ends.
 */
export function eachSoon<T, R>(
  values: readonly T[],
  act: (value: T) => Soon<R>,
): Soon<readonly R[]> {
  return allSoon(
    values.map((value): Soon<R> => {
      try {
        return act(value);
      } catch (error) {
        return Promise.reject(error);
      }
    }),
  );
}

/**
 * Steps aside until the other requests of this turn of the event loop have come as far. Each part
 * of the work is then done for all of them in a row, and the processor finds its code at hand:
 * measured, a tenth of the cost of requests that come together.
 */
export function inStep(): Promise<void> {
  return Promise.resolve();
}
