package httperrors

import "net/http"

// statusText names a status.
func statusText(status int) string {
	if s := http.StatusText(status); s != "" {
		return s
	}
	if status >= 500 {
		return "Server Error"
	}
	return "Request Refused"
}

// visitorText tells a visitor what a status means for them, and nothing about the server.
func visitorText(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "The server could not understand the request."
	case http.StatusUnauthorized:
		return "You need to sign in to see this page."
	case http.StatusForbidden:
		return "You do not have permission to see this page."
	case http.StatusNotFound, http.StatusGone:
		return "There is nothing at this address. It may have been moved or renamed."
	case http.StatusMethodNotAllowed:
		return "This page cannot be used in this way."
	case http.StatusNotAcceptable:
		return "This page does not exist in a form that your browser accepts."
	case http.StatusRequestTimeout:
		return "The request took too long to arrive."
	case http.StatusPreconditionFailed:
		return "The page has changed, and the request was meant for its earlier state."
	case http.StatusRequestEntityTooLarge:
		return "What you sent is larger than the server accepts."
	case http.StatusRequestURITooLong:
		return "The address is longer than the server accepts."
	case http.StatusUpgradeRequired:
		return "This address is for programs that speak another protocol, not for a browser window."
	case http.StatusTooManyRequests:
		return "There were too many requests in a short time. Please try again later."
	case http.StatusNotImplemented:
		return "The server does not know how to do this."
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return "The application behind this page did not answer. Please try again in a moment."
	case http.StatusServiceUnavailable:
		return "The service is not available at the moment. Please try again later."
	}
	if status >= 500 {
		return "Something went wrong on the server. Its administrator can find the details in the server's log."
	}
	return "The server refused the request."
}
