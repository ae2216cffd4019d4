package webservercore

import (
	"strings"
	"testing"
)

func TestJudgeHandlerTellsOfProgramsOfWindows(t *testing.T) {
	for _, c := range []struct{ modules, processor, feature, note string }{
		{"FastCgiModule", `C:\php\php-cgi.exe`, "fastcgi", "the program php-cgi found in PATH"},
		{"FastCgiModule", `D:\Python\python.exe|D:\Python\wfastcgi.py`, "fastcgi", "the program python3 found in PATH"},
		{"CgiModule", `C:\perl\perl.exe`, "cgi", "the program perl found in PATH"},
		{"FastCgiModule", "/usr/bin/php-cgi", "fastcgi", ""},
		{"AspNetCoreModuleV2", "", "http-platform", ""},
	} {
		j := judgeHandler(func(name string) string {
			return map[string]string{"modules": c.modules, "scriptProcessor": c.processor}[name]
		})
		if string(j.Feature) != c.feature || !strings.Contains(j.Note, c.note) || c.note == "" && j.Note != "" {
			t.Errorf("%s of %s: %+v", c.processor, c.modules, j)
		}
	}
}
