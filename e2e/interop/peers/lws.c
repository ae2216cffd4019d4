/*
 * The library libwebsockets as a client and as a server.
 *
 *   lws client HOST PORT plain|deflate [CERT]   does the exchange and prints what came of it as a line of JSON
 *   lws server plain|deflate                    prints its port as JSON and serves until it is killed
 */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { LARGE = 1 << 20, PIECE = 1 << 16, MAX_PARTS = 2 * LARGE / PIECE };

/* A message that leaves part by part, each a frame, and the one that arrives. */
struct talk {
	unsigned char *out, *in;
	size_t part[MAX_PARTS], parts, at, done, in_len;
	enum lws_write_protocol type;
	int busy, step, ping, close;
};

/* What the client sends in its steps. */
enum { TEXT, BINARY, EMPTY_TEXT, EMPTY_BINARY, REPEATED, REPEATED2, REPEATED3, FRAGMENTED, BIG, PING, PINGED, PONGED, CLOSE };

static struct lws_context *context;
static const char *failed, *closed_with;
static int over, second_socket, deflates;
static unsigned char *payload;
static size_t payload_len;

static void put(struct lws *wsi, struct talk *t, enum lws_write_protocol type, const void *data, size_t len)
{
	free(t->out);
	t->out = malloc(len + 1);
	memcpy(t->out, data, len);
	t->type = type;
	t->parts = t->at = t->done = 0;
	do {
		size_t n = len > PIECE ? PIECE : len;
		t->part[t->parts++] = n;
		len -= n;
	} while (len > 0);
	t->busy = 1;
	lws_callback_on_writable(wsi);
}

/* Sends the next frame of what is on its way. */
static int leave(struct lws *wsi, struct talk *t)
{
	if (!t->busy)
		return 0;
	size_t n = t->part[t->at];
	int flags = t->at == 0 ? t->type : LWS_WRITE_CONTINUATION;
	unsigned char *room = malloc(LWS_PRE + n + 1); /* lws_write masks in place */
	memcpy(room + LWS_PRE, t->out + t->done, n);
	if (t->at + 1 < t->parts)
		flags |= LWS_WRITE_NO_FIN;
	int wrote = lws_write(wsi, room + LWS_PRE, n, flags);
	free(room);
	if (wrote < (int)n)
		return -1;
	t->done += n;
	if (++t->at == t->parts)
		t->busy = 0;
	else
		lws_callback_on_writable(wsi);
	return 0;
}

/* Takes what arrived and tells whether the message is whole. */
static int arrive(struct lws *wsi, struct talk *t, const void *in, size_t len)
{
	if (deflates && t->in_len + len == 0)
		return 0; /* what is left of a message that just filled the buffer */
	t->in = realloc(t->in, t->in_len + len + 1);
	if (len > 0)
		memcpy(t->in + t->in_len, in, len);
	t->in_len += len;
	return lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
}

static int is(const struct talk *t, const char *text)
{
	return t->in_len == strlen(text) && memcmp(t->in, text, t->in_len) == 0;
}

static void fill(size_t len)
{
	payload = realloc(payload, len + 1);
	payload_len = len;
	for (size_t at = 0; at < len; at += 256)
		if (getrandom(payload + at, len - at < 256 ? len - at : 256, 0) < 0)
			abort();
}

/* Makes the payload worth compressing. */
static void digits(void)
{
	for (size_t i = 0; i < payload_len; i++)
		payload[i] = "0123456789abcdef"[payload[i] & 15];
}

static void next_step(struct lws *wsi, struct talk *t)
{
	static const char words[] = "Grüße, 世界 🌍";
	if (deflates && t->step == EMPTY_TEXT)
		t->step = REPEATED; /* version 4.1 ends itself when it is to compress nothing */
	if (deflates && t->step == PING)
		t->step = PINGED; /* version 4.1 delivers a pong again and again where messages are compressed */
	switch (t->step) {
	case TEXT:
		fill(sizeof words - 1);
		memcpy(payload, words, payload_len);
		break;
	case BINARY:
		fill(4);
		break;
	case EMPTY_TEXT:
	case EMPTY_BINARY:
		fill(0);
		break;
	case REPEATED:
		fill(2048);
		digits();
		break;
	case FRAGMENTED:
		fill(70004);
		digits();
		break;
	case BIG:
		fill(LARGE);
		digits();
		break;
	case PING:
		fill(125);
		t->ping = 1;
		lws_callback_on_writable(wsi);
		return;
	case PINGED:
		put(wsi, t, LWS_WRITE_TEXT, "ping", 4);
		return;
	case PONGED:
		put(wsi, t, LWS_WRITE_TEXT, "ponged?", 7);
		return;
	case CLOSE:
		t->close = 1;
		lws_callback_on_writable(wsi);
		return;
	}
	int text = t->step == TEXT || t->step == EMPTY_TEXT || (t->step >= REPEATED && t->step <= REPEATED3);
	put(wsi, t, text ? LWS_WRITE_TEXT : LWS_WRITE_BINARY, payload, payload_len);
	if (t->step == FRAGMENTED) {
		static const size_t cuts[] = { 1, 30000, 40000, 3 };
		memcpy(t->part, cuts, sizeof cuts);
		t->parts = 4;
	}
}

static const char *name_of(int step)
{
	switch (step) {
	case TEXT:
		return "text";
	case BINARY:
		return "binary";
	case EMPTY_TEXT:
	case EMPTY_BINARY:
		return "empty";
	case FRAGMENTED:
		return "fragmented";
	case BIG:
		return "large";
	case PING:
		return "ping";
	case PINGED:
	case PONGED:
		return "pong";
	}
	return "repeated";
}

/* Compares what came with what the step expects. */
static int right(struct lws *wsi, const struct talk *t)
{
	if (t->step == PINGED)
		return is(t, "pinged");
	if (t->step == PONGED)
		return is(t, "true");
	int text = t->step == TEXT || t->step == EMPTY_TEXT || (t->step >= REPEATED && t->step <= REPEATED3);
	return lws_frame_is_binary(wsi) != text && t->in_len == payload_len && memcmp(t->in, payload, payload_len) == 0;
}

static int client(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct talk *t = user;
	switch (reason) {
	case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
		failed = "connect";
		over = 1;
		break;
	case LWS_CALLBACK_CLIENT_ESTABLISHED:
		if (second_socket)
			put(wsi, t, LWS_WRITE_TEXT, "close 4002 see you", 18);
		else
			next_step(wsi, t);
		break;
	case LWS_CALLBACK_CLIENT_WRITEABLE:
		if (t->close) {
			lws_close_reason(wsi, 4001, (unsigned char *)"goodbye", 7);
			return -1;
		}
		if (t->ping) {
			unsigned char room[LWS_PRE + 125];
			memcpy(room + LWS_PRE, payload, 125);
			t->ping = 0;
			return lws_write(wsi, room + LWS_PRE, 125, LWS_WRITE_PING) < 125 ? -1 : 0;
		}
		return leave(wsi, t);
	case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
		if (t->step != PING || len != 125 || memcmp(in, payload, 125) != 0) {
			failed = "ping";
			return -1;
		}
		t->step++;
		next_step(wsi, t);
		break;
	case LWS_CALLBACK_CLIENT_RECEIVE:
		if (!arrive(wsi, t, in, len))
			break;
		if (!right(wsi, t)) {
			failed = name_of(t->step);
			return -1;
		}
		t->in_len = 0;
		t->step++;
		next_step(wsi, t);
		break;
	case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
		if (second_socket && len == 9 && memcmp(in, "\x0f\xa2see you", 9) == 0)
			closed_with = "4002 see you";
		break;
	case LWS_CALLBACK_CLIENT_CLOSED:
		if (!failed && !second_socket && t->step != CLOSE)
			failed = "the server closed";
		if (second_socket && !closed_with)
			failed = "closed";
		free(t->in);
		free(t->out);
		over = 1;
		break;
	default:
		break;
	}
	return 0;
}

static int server(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct talk *t = user;
	switch (reason) {
	case LWS_CALLBACK_RECEIVE:
		if (!arrive(wsi, t, in, len))
			break;
		if (is(t, "ping")) {
			t->ping = 1;
			lws_callback_on_writable(wsi);
		} else if (is(t, "close")) {
			lws_close_reason(wsi, 4002, (unsigned char *)"see you", 7);
			return -1;
		} else if (is(t, "fragments")) {
			static const size_t cuts[] = { 4, 7, 70000 };
			unsigned char *text = malloc(70011);
			memset(text, 'x', 70011);
			memcpy(text, "fragmented ", 11);
			put(wsi, t, LWS_WRITE_TEXT, text, 70011);
			free(text);
			memcpy(t->part, cuts, sizeof cuts);
			t->parts = 3;
		} else {
			put(wsi, t, lws_frame_is_binary(wsi) ? LWS_WRITE_BINARY : LWS_WRITE_TEXT, t->in, t->in_len);
		}
		t->in_len = 0;
		break;
	case LWS_CALLBACK_SERVER_WRITEABLE:
		if (t->ping) {
			unsigned char room[LWS_PRE + 13];
			memcpy(room + LWS_PRE, "are you there", 13);
			t->ping = 0;
			return lws_write(wsi, room + LWS_PRE, 13, LWS_WRITE_PING) < 13 ? -1 : 0;
		}
		return leave(wsi, t);
	case LWS_CALLBACK_RECEIVE_PONG:
		if (len == 13 && memcmp(in, "are you there", 13) == 0)
			put(wsi, t, LWS_WRITE_TEXT, "ponged are you there", 20);
		break;
	case LWS_CALLBACK_CLOSED:
		free(t->in);
		free(t->out);
		break;
	default:
		break;
	}
	return 0;
}

static const struct lws_extension extensions[] = {
	{ "permessage-deflate", lws_extension_callback_pm_deflate, "permessage-deflate; client_max_window_bits" },
	{ NULL, NULL, NULL },
};

static void wait_until_over(void)
{
	for (over = 0; !over;)
		lws_service(context, 0);
}

static int run_client(char **arg, const char *cert)
{
	struct lws_client_connect_info to = {
		.context = context, .address = arg[0], .host = arg[0], .origin = arg[0], .path = "/", .port = atoi(arg[1]),
		.local_protocol_name = "interop",
		.ssl_connection = cert ? LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK : 0,
	};
	for (second_socket = 0; second_socket < 2 && !failed; second_socket++) {
		if (!lws_client_connect_via_info(&to)) {
			failed = "connect";
			break;
		}
		wait_until_over();
	}
	if (!failed)
		printf("{\"did\":[\"text\",\"binary\",%s\"repeated\",\"fragmented\",\"large\",%s\"pong\",\"close\",\"closed\"]}\n",
		       deflates ? "" : "\"empty\",", deflates ? "" : "\"ping\",");
	else
		printf("{\"error\":\"%s: the echo is wrong\"}\n", failed);
	return failed != NULL;
}

int main(int argc, char **argv)
{
	int serves = argc == 3 && strcmp(argv[1], "server") == 0;
	if (!serves && (argc < 5 || strcmp(argv[1], "client") != 0)) {
		fprintf(stderr, "usage: lws client HOST PORT plain|deflate [CERT] | lws server plain|deflate\n");
		return 2;
	}
	deflates = strcmp(argv[serves ? 2 : 4], "deflate") == 0;
	const char *cert = argc > 5 ? argv[5] : NULL;
	struct lws_protocols protocols[] = {
		{ "interop", serves ? server : client, sizeof(struct talk), PIECE, 0, NULL, 0 },
		{ NULL, NULL, 0, 0, 0, NULL, 0 },
	};
	struct lws_context_creation_info info = {
		.port = serves ? 0 : CONTEXT_PORT_NO_LISTEN, .iface = serves ? "127.0.0.1" : NULL, .protocols = protocols,
		.extensions = deflates ? extensions : NULL, .gid = -1, .uid = -1,
		.client_ssl_ca_filepath = cert, .options = cert ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
	};
	lws_set_log_level(LLL_ERR | LLL_WARN, NULL);
	context = lws_create_context(&info);
	if (!context)
		return 1;
	alarm(serves ? 0 : 60);
	int code = 0;
	if (serves) {
		printf("{\"port\":%d}\n", lws_get_vhost_listen_port(lws_get_vhost_by_name(context, "default")));
		fflush(stdout);
		wait_until_over();
	} else {
		code = run_client(argv + 2, cert);
	}
	lws_context_destroy(context);
	return code;
}
