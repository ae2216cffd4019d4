// Package spa tests that single-page applications of others work as they are: builds of React, Vue and Angular with their
// routers, each with a web.config as people write it, served by the real program and used in a browser.
//
// It is a test and nothing that a program could use. The sources of the applications lie beside it, in the shape of the
// official starters; they are built into out, and built again when they change. Its tests stand behind the build tag e2e, for
// they need Chromium, Node.js and npm packages, which "make deps" installs. Nothing is skipped: a program that is missing is a
// failure.
package spa
