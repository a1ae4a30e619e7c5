/**
 * So many are done in a row. What they ask of the store goes off before the next are done, so that
 * both threads work at the same time: with all of a turn in a row (64 clients come in two crowds
 * of 32) each thread waited for the other in turn, and a third of both processors was idle. With 4
 * to 12 there is no difference; with fewer a request costs more, with 16 the waiting begins.
 */
const inRowMax = 10;

/**
 * Does what is gathered in one turn of the event loop at the turn's end, in order, several in a
 * row. The processor then runs one piece of code many times, instead of going from the network to
 * the policies and back for each request: measured, a tenth to a fifth of a request's cost.
 */
export function together<T>(act: (item: T) => void): (item: T) => void {
  let gathered: T[] = [];
  const actOnSome = (): void => {
    const items = gathered;
    gathered = items.splice(inRowMax);
    if (gathered.length > 0) setImmediate(actOnSome);
    for (const item of items) act(item);
  };
  return (item) => {
    if (gathered.push(item) === 1) setImmediate(actOnSome);
  };
}
