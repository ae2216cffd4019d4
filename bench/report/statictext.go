package report

// staticSetUp says how the servers are set up.
const staticSetUp = `
## How the servers are set up

Each as its documentation or Debian's configuration has it, with these in common: an access log in the server's own default
format to a file, written as the server does by default (nginx, Caddy and Apache with a system call for each request or nearly
so, rolemgr each second or 64 KiB); connections that may stay open for any number of requests; gzip at level 6.

- **rolemgr** is the built binary. Its home has what "rolemgr install web-server http-logging url-rewrite static-compression
  dynamic-compression" installs, which is the default features and URL Rewrite; the sites are added with "rolemgr site add".
  The rules stand in the web.config of the site: it is looked at for every request, as on IIS.
- **nginx**: sendfile, tcp_nopush, one worker, for there is one processor. **Caddy**: a Caddyfile with file_server. **Apache**:
  mpm_event, EnableSendfile, threads for every connection, rules in the host and AllowOverride None; with .htaccess, which is
  what a web.config compares with, it would look for a file in every folder, too.
- **gzip**: rolemgr compresses a file once and keeps the copy; nginx, Caddy and Apache compress for every request. **gzip-file** is
  what an administrator who minds does about it: a text.txt.gz beside the file, for gzip_static, precompressed, and the
  rewrite rules of mod_deflate's documentation. rolemgr does not look at that file: its copy is as good.
- **-rules**: ten rewrite rules, regular expressions without regard to case, that do not match, and an eleventh that does and
  leads to the file. The same expressions in every server.
- **net-http** has every file and every field of the header in memory, writes no log and knows no rules: no server on Go's
  net/http can cost less.
`

// staticCauses says where the time goes, and what did not help. It tells of the state of this commit, by profiles (perf)
// and counts of system calls (strace).
const staticCauses = `
## Where the time goes

The distance to **nginx** has two causes. One is net/http, whose share the column net-http shows: a goroutine for each connection that
is parked and woken, a read that finds nothing before each wait, a second goroutine that watches the connection while a request
is answered, header fields in maps, and deadlines. nginx has one process, one buffer and one call each to read and to write. The
other is what a site of IIS promises: each request looks at the folders on its way for a web.config that may have changed, and
passes some fifteen modules, each of which may be switched off for the URL. nginx reads its configuration once.

System calls of a request for 1 KiB: read (and nearly always once more, in vain), newfstatat for the folder of the site, newfstatat
for the file, write. With rules: newfstatat for the web.config and not for its folder, and one more for the folder that the URL
names at first. A larger file that the host does not have in memory: openat, fstat, sendfile and close more.

What brought it there, with what a request for 1 KiB cost afterwards in µs, from single runs on the machine it was built on while
others used it, which show the order of things and no more:

| change | without rules | with rules |
|---|---:|---:|
| before | 92 | 111 |
| a folder without web.config is known by its own state; what the walk sees of the file is used by the modules; files up to 256 KiB stay in memory while that state is the same | 55 to 65 | 89 to 96 |
| 32 MiB of garbage may gather; access-log lines without garbage; one copy of the request less; write deadlines renewed when a sixteenth has passed; a text that every match must have is looked for before an expression is tried; the root of a site is looked at once a request | 45 | 58 |
| a request that a rule has changed keeps its header, and is not copied a second time for its new path; which rules have run is known by their set; paths of a look at a folder are put together once; header and content of a file in memory leave with one writev; the answers of what is asked about <modules> are kept | 42 | 49 |

What the rules and the walk to the configuration cost a request went from 23.0 to 16.5 µs with that, from 33 to 18 allocations (the
benchmark of features/urlrewrite). Header and content of a file that is not in memory leave in one packet (MSG_MORE).

## What was tried and lost

- **Files of 64 KiB and more by sendfile.** For 100 KiB, open, fstat, sendfile and close cost as much as the copy of the content
  that they save; the limit is 256 KiB now, that of IIS (maxResponseSize). Over a real network card, which sends pages without
  a copy, it may lie lower.
- **Files of 10 MiB from memory** cost a third less than sendfile here: over the loopback device every page that sendfile hands over
  is handled by itself, and the reader of this benchmark copies nothing. That says nothing about a network, and memory is dear:
  not done.
- **A file that is sent only compressed need not be opened.** Opening it when its first byte is read would save three calls, but a
  file that is replaced in that moment would end in a cut connection instead of an answer. Not done; files that are in
  memory are not opened anyway.
- **Files kept open** (as nginx's open_file_cache) would save three calls of large files. They would keep a volume busy and
  deleted files on the disk between requests. Not done.
- **A floor of 8 or 16 MiB** for the heap instead of 32: 1 to 3 µs more with rules, none to see without. **GOGC=400** does what the floor of 32 MiB does for a small host, and makes one that holds a gigabyte take five. Not done.
- **Contents in files of memory** (memfd), so that 100 KiB are sent by sendfile without being opened: the look-ups of 25 pages cost
  what the copy does. Not done.
- **A profile for the compiler** (PGO), from these scenarios: nothing to see in four pairs of runs. Not done.
- **Watching folders by inotify** would replace the looks at folders. Network file systems tell nothing, watches are limited
  and a folder that is moved takes its watch along. Not done.
`
