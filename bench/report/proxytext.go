package report

// proxySetUp says how the proxies are set up.
const proxySetUp = `
## How the proxies are set up

Each as an administrator does who has read its documentation, in front of an application of its own: this engine's echo, the same
program everywhere, bound to the processor of the load and in a session of its own. An access log is written by all of them, in
the default format; a WebSocket is one line at its end.

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
- **Sessions**: Linux shares a processor out among sessions first (autogroup). rolemgr starts its application itself, and as long as
  that stayed in its session it got 0.39 of the load's processor where the others' got half. The load then came in bursts, and
  this page had the tunnel at up to 1.21 x the best.
- Before the measured time of **1m** every connection has passed four messages on: who holds whole messages, as the relay must,
  takes memory for the first ones, and that costs many times as much as to use it again.
`

// proxyCauses says where the time and the memory go, and what did not help. It tells of the state of this commit, by
// profiles (perf, pprof) and counts of system calls (strace).
const proxyCauses = `
## Where the time and the memory go

A message that passes a **tunnel** once costs one recv and one send, as with nginx; epoll_pwait is shared by all that are ready, and
reports what is new and nothing twice. Nearly all of the time is the kernel's, the same for all who do no more calls. In shares of the
processor time of p1 (perf; the tunnel, nginx): in send 50, 50; in recv 9, 10; into and out of system calls 26, 22; in epoll 7, 8; the
rest 8, 10. So the two are where they can be without other calls, and change places by a few hundredths from run to run. The tunnel
pays a little more to sleep: a goroutine that slept in epoll would keep its place, so the loop looks, the Go runtime looks and
sleeps, and the loop looks again. What HAProxy and Caddy do beside was not looked into. With 16 KiB and 1 MiB it is the size of
the buffer that counts: 32 KiB here, up to 16 times in a row from one line.

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
| tunnel: news alone are asked for (edge-triggered), and a loop looks once before it sleeps (p1, and p16, x nginx, medians within rounds) | 1.05, 1.04 | 1.02, 1.01 |

## What was tried and lost, and what was not tried

- **A smaller heap** instead of giving memory back: the 32 MiB that "rolemgr serve" lets gather are worth an eighth of the time of
  static files, see [benchmark-static.md](benchmark-static.md). Kept. The price is that a host of a few hundred sockets may hold them.
- **splice** between the two sockets of a tunnel: not done. It needs a pipe for each direction that is busy and two calls where there
  are two now, so small messages gain nothing. With 1 MiB it may; not measured.
- **Sleeping in epoll_pwait itself**, with one place for goroutines more than there are processors so that nobody else has to wait:
  2 to 4 % cheaper (p1, p16 and 16k). A static file then costs a quarter more (73.6 and 92.2 µs), for goroutines move between the two
  places. Without the further place all others wait for up to 10 ms on a machine with one processor. Not done.
- **Giving the place up at once** in that call, as cgo does: the runtime's monitor wakes with each sleep, and a message costs a third
  more. Not done.
- **Waiting 50 µs in it** before the place is given up leaves a hundredth of those sleeps and costs more: 17.1 µs a message against 15.8,
  because each such wait sets a timer of the machine. Not done.
- **Reading from all lines that are ready before anything is sent**, so that the kernel's code for either stays in the caches: nothing to see,
  for there are three of them at a time. **A system call of our own** that spares two calls and their pages: nothing to see. Not done.
- **io_uring** as one call for all recvs of a turn and one for all sends: 5 and 7 % cheaper with one message in flight on 100 and 1,000
  connections, nothing with sixteen, for two hundred lines and a second way through the loop, which many systems forbid. Not done.
- **Larger and smaller buffers** of a tunnel, for 1 MiB measured alone, in µs and x nginx-32k: 16 KiB 1326 (1.17), 32 KiB 987 (0.85),
  64 KiB 1405 (1.21), 128 KiB 1244 (0.92). 32 KiB stay in the first cache of a processor.
- **Passing large messages on in fragments** would spare the relay holding them, and would change what the application sees. Not done.
- **The first large messages** through a relay that was idle cost a hundred times what later ones do, on this machine, where fresh
  pages are dear; see the set-up of 1m. Not looked into.
- **Handshakes** cost several times what they cost nginx: package net/http and the modules of a request on one side, a new connection
  to the application on the other. There was no goal; not looked into.
`
