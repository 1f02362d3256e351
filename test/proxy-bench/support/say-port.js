// Lets a server listen at a free port, and says on stdout which it is.

/** @param {import('node:net').Server} server */
export function sayPort(server) {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
  });
}
