/** fauxqs in memory, without its log: `node bench/peer-fauxqs.ts`; prints its port. */
import { startFauxqs } from "fauxqs";

const { port } = await startFauxqs({ port: 0, logger: false });
console.log(JSON.stringify({ port }));
process.on("SIGTERM", () => process.exit(0));
