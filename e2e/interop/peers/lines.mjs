// How the test talks to a peer written in JavaScript: a job as one line of JSON on standard input, what came of it as
// one line of JSON on standard output, until the input ends.
import { createInterface } from 'node:readline';

export async function jobs(run) {
  for await (const line of createInterface({ input: process.stdin })) {
    let result;
    try {
      result = await run(JSON.parse(line));
    } catch (err) {
      result = { error: String(err?.message ?? err) };
    }
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

// ready tells the test the port of a server.
export function ready(server) {
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`));
}
