/**
 * Gateway threads of test servers: one, or as many as SEALPOST_TEST_THREADS says. With several each
 * request comes by a connection of its own, so that any thread may get it.
 */
export const testThreads = Number(process.env.SEALPOST_TEST_THREADS ?? 1);
