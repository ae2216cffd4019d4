package report

// proxySetUp says how the proxies are set up.
const proxySetUp = `
## How the proxies are set up

Each as an administrator does who has read its documentation, in front of an application of its own: this engine's echo, the same
program everywhere, bound to the processor of the load. An access log is written by all of them, in the default format; a
WebSocket is one line at its end.

- **rolemgr** is the built binary. Its home has what "rolemgr install web-server http-logging http-platform websocket" installs;
  the site is added with "rolemgr site add", and its web.config has a handler of httpPlatformHandler and <httpPlatform>, which
  starts the application. **rolemgr-tunnel** has <webSocket enabled="false" /> beside it: the application ends the WebSocket, bytes pass.
  **rolemgr-relay** has it enabled: the host ends the WebSocket, checks every frame, text for UTF-8 and limits, and sends
  each message anew over a WebSocket of its own to the application, masked with new keys. No other here does that.
- **nginx**: Debian's nginx.conf with one worker, for there is one processor, and the recipe for WebSocket of nginx's documentation; read
  and send timeouts of an hour. Its buffer of a page is filled and emptied 256 times for 1 MiB: **nginx-32k** is the same with
  proxy_buffer_size 32k, as somebody sets who has large messages.
- **HAProxy**: Debian's haproxy.cfg, mode http, timeout tunnel of an hour, httplog to its output.
- **Caddy**: a Caddyfile with reverse_proxy and a log.
- Before the measured time of **1m** every connection has passed four messages on: who holds whole messages, as the relay must,
  takes memory for the first ones, and that costs many times as much as to use it again.
`

// proxyCauses says where the time and the memory go, and what did not help. It tells of the state of this commit, by
// profiles (perf, pprof) and counts of system calls (strace).
const proxyCauses = `
## Where the time and the memory go

A message that passes a **tunnel** once costs one recv and one send, as with nginx; epoll_pwait is shared by all that are ready.
Nearly all of the time is the kernel's, the same for all who do no more calls. What is left to **nginx** with one message in flight
is how a loop waits: nginx asks epoll once and sleeps in that call. A goroutine that slept there would keep its place, so it looks,
finds nothing, gives its place up, the Go runtime looks and sleeps, and the loop looks again: four calls in vain for each
sleep, of which there are 6,000 a second, 16 % of the time against 7. And client and application pay for two wakings, because
the loop's epoll is watched by that of the runtime. What HAProxy and Caddy do beside was not looked into. With 16 KiB and 1 MiB
it is the size of the buffer that counts: 32 KiB here, up to 16 times in a row from one line.

The **relay** does the same calls. On top of them come unmasking, checking, masking and two locks for each message: about a
tenth for one small message, a fifth for sixteen. With 1 MiB it holds the whole message before it passes it on, for a message
that breaks a limit must not reach the application in part, and copies it once to mask it.

An **idle connection** is a few structures: the tunnel or two sockets, the entry in the list of connections, what the access log
wants of the request. There is no goroutine, no buffer, no request.

What brought it there, with figures from single runs on the machine it was built on while others used it, which show the
order of things and no more:

| change | before | after |
|---|---:|---:|
| relay: messages that came with one read leave with one write, as replies of an endpoint do (p16, µs a message) | 16.7 | 1.9 |
| after 512 handshakes and a quiet second, garbage is collected and given back; a WebSocket holds what the access log wants of its request, and not the request (idle through the tunnel, bytes) | 10,900 | 3,600 |
| the same through the relay, which lets the application's handshake go, too | 12,500 | 4,500 |
| loops give way after 64 events and not after 16 turns, which could take longer than the runtime lets a goroutine run; recv instead of read (p16 through the relay) | 1.9 | 1.8 |

## What was tried and lost, and what was not tried

- **A smaller heap** instead of giving memory back: the 32 MiB that "rolemgr serve" lets gather are worth an eighth of the time of
  static files, see [benchmark-static.md](benchmark-static.md). Kept. The price is that a host of a few hundred sockets may hold them.
- **splice** between the two sockets of a tunnel: not done. It needs a pipe for each direction that is busy and two calls where there
  are two now, so small messages gain nothing. With 1 MiB it may; not measured.
- **Sleeping in epoll_pwait itself** makes one message in flight 3 to 8 % cheaper. On a machine with one processor all other
  goroutines then wait until the runtime's monitor takes the place away, which is up to 10 ms when it was quiet. Not done.
- **Waiting 50 µs in it** before the place is given up leaves a hundredth of those sleeps and costs more: 17.1 µs a message against 15.8,
  because each such wait sets a timer of the machine. Not done. **One look less** before the loop sleeps: nothing to see. Not done.
- **Larger and smaller buffers** of a tunnel, for 1 MiB measured alone, in µs and x nginx-32k: 16 KiB 1326 (1.17), 32 KiB 987 (0.85),
  64 KiB 1405 (1.21), 128 KiB 1244 (0.92). 32 KiB stay in the first cache of a processor.
- **Passing large messages on in fragments** would spare the relay holding them, and would change what the application sees. Not done.
- **The first large messages** through a relay that was idle cost a hundred times what later ones do, on this machine, where fresh
  pages are dear; see the set-up of 1m. Not looked into.
- **Handshakes** cost several times what they cost nginx: package net/http and the modules of a request on one side, a new connection
  to the application on the other. There was no goal; not looked into.
`
