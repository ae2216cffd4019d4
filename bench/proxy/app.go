package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/server"
)

// appCommand makes this program the application; main passes the rest of its command line to App.
const appCommand = "app"

// App is the application behind each proxy: this engine's echo, at the port that the environment variable PORT names. It
// binds itself to a processor, for rolemgr starts it on its own.
func App(args []string) error {
	if len(args) != 1 {
		return errors.New("app needs the number of a processor")
	}
	cpu, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("app needs the number of a processor: %w", err)
	}
	if err := proc.PinSelf(cpu); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	return server.Echo(l)
}
