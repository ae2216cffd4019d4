package httpplatform

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
)

func processors() int { return runtime.GOMAXPROCS(0) }

// command is a program with its arguments as they are started.
type command struct {
	path string
	args []string
	note string // what was understood otherwise than written; "" for nothing
}

// resolve finds the program that the settings name and puts the port into the arguments. Files written for Windows name
// programs as they are there: what that means here is said in note.
func (s *settings) resolve(port int) (command, error) {
	program, args := s.program, splitArguments(s.arguments)
	if s.section == nodePath {
		words := splitArguments(s.program)
		if len(words) == 0 {
			return command{}, fmt.Errorf("nodeProcessCommandLine is empty")
		}
		program, args = words[0], append(words[1:], filepath.Join(s.folder, filepath.FromSlash(s.script)))
	}
	if strings.Contains(program, launcher) {
		return command{}, errors.New(noLauncher(program))
	}
	c, err := s.find(program)
	if err != nil {
		return command{}, err
	}
	for _, a := range args {
		c.args = append(c.args, s.argument(a, port, &c.note))
	}
	return c, nil
}

// find finds a program: in the folder of the application, else in PATH. One of Windows is looked for under its name
// without .exe too, and what a .dll of .NET holds is run by dotnet.
func (s *settings) find(written string) (command, error) {
	p := strings.Trim(strings.TrimSpace(slashes(written)), `"`)
	if p == "" {
		return command{}, fmt.Errorf("no program is named")
	}
	name := path.Base(p)
	bare := p == name
	elsewhere := gateway.AbsWindows(p) || strings.Contains(p, "%") // a folder that cannot exist here; the file may have come along
	full := path.Join(s.folder, p)
	switch {
	case elsewhere:
		full = path.Join(s.folder, name)
	case path.IsAbs(p):
		full = path.Clean(p)
	}
	c, err := local(written, full)
	if c.path != "" || err != nil {
		return c, err
	}
	stem, exe := gateway.CutExe(name)
	tried := []string{full}
	if bare || elsewhere || exe { // one that is named by its folder here is that one or none
		names := gateway.Counterparts(stem)
		if found, ok := gateway.LookPath(names...); ok {
			c := command{path: found}
			if !bare || path.Base(found) != name {
				c.note = fmt.Sprintf("%s stands for %q", written, found)
			}
			return c, nil
		}
		for _, n := range names {
			tried = append(tried, n+" in PATH")
		}
	}
	if !bare && isFile(full) {
		return command{}, unable(full)
	}
	return command{}, fmt.Errorf("there is no program \"%s\" (looked for %s): %s", written, strings.Join(tried, ", "), advice(stem))
}

// local finds a program where a path says; neither a command nor an error means that there is none.
func local(written, full string) (command, error) {
	stem, exe := gateway.CutExe(full)
	switch {
	case runnable(full) && !isPE(full):
		return command{path: full}, nil
	case exe && runnable(stem):
		return command{path: stem, note: fmt.Sprintf("%s stands for %q", written, stem)}, nil
	}
	dll := stem + ".dll" // published for any system: dotnet runs it
	if strings.EqualFold(path.Ext(full), ".dll") {
		dll = full
	}
	if !isFile(dll) {
		return command{}, nil
	}
	if dotnet, ok := gateway.LookPath("dotnet"); ok {
		return command{path: dotnet, args: []string{dll}, note: fmt.Sprintf("%s stands for dotnet %q", written, dll)}, nil
	}
	return command{}, fmt.Errorf("%s is an application of .NET (%s), but there is no program dotnet: install the .NET runtime", written, dll)
}

// unable says why a file that is there is not run.
func unable(full string) error {
	if _, exe := gateway.CutExe(full); exe || isPE(full) {
		return fmt.Errorf("%q is a program of Windows: publish the application for Linux (dotnet publish -r linux-x64)", full)
	}
	return fmt.Errorf("%q cannot be run: make it executable (chmod +x)", full)
}

// advice is the next step when a program is missing.
func advice(stem string) string {
	switch strings.ToLower(stem) {
	case "python", "py", "pythonw", "java", "javaw", "node", "dotnet", "php", "ruby":
		return "install it, or write its path as processPath"
	case "cmd", "powershell":
		return "it is the shell of Windows; start the application itself, or a script of this system"
	}
	return "write the path of the program, from the root of the application or from /, as processPath"
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

func runnable(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// isPE reports whether a file is a program of Windows, which begins with "MZ" (Microsoft PE format). Archives and
// shared folders make everything executable, so its mode says nothing.
func isPE(p string) bool {
	f, err := os.Open(p)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [2]byte
	_, err = io.ReadFull(f, b[:])
	return err == nil && string(b[:]) == "MZ"
}

// argument puts the port in, and makes a path of Windows one of this system where that names a file of the application.
// Below a folder of Windows, such as %HOME%\site\wwwroot, it is the longest end of the path that exists.
func (s *settings) argument(a string, port int, note *string) string {
	a = withPort(a, port)
	if !strings.Contains(a, `\`) {
		return a
	}
	p := slashes(a)
	candidates := []string{p}
	if gateway.AbsWindows(p) || path.IsAbs(p) || strings.HasPrefix(p, "%") {
		candidates = nil
		for rest := p; ; {
			var ok bool
			if _, rest, ok = strings.Cut(rest, "/"); !ok {
				break
			}
			candidates = append(candidates, rest)
		}
	}
	for _, c := range candidates {
		full := path.Join(s.folder, c)
		if _, err := os.Stat(full); err == nil && strings.Trim(c, "/") != "" {
			if *note != "" {
				*note += ", "
			}
			*note += fmt.Sprintf("%s stands for %q", a, full)
			return full
		}
	}
	return a
}

// withPort puts the port of a process where the configuration asks for it.
func withPort(s string, port int) string {
	for _, name := range []string{"HTTP_PLATFORM_PORT", "ASPNETCORE_PORT", "PORT"} {
		s = strings.ReplaceAll(s, "%"+name+"%", strconv.Itoa(port))
	}
	return s
}

// splitArguments splits a command line as programs of Windows do: at white space, with double quotes around what holds some
// and \" for a quote. Single quotes around a whole argument do as well, for lines written by people of this system.
func splitArguments(line string) []string {
	var out []string
	var b strings.Builder
	var quote byte
	open := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && line[i+1] == '"' && quote != '\'':
			b.WriteByte('"')
			i, open = i+1, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'' && !open):
			quote, open = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			if open {
				out = append(out, b.String())
				b.Reset()
				open = false
			}
		default:
			b.WriteByte(c)
			open = true
		}
	}
	if open {
		out = append(out, b.String())
	}
	return out
}
