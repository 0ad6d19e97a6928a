package main

import (
	"net/http"
	"net/url"

	"github.com/spf13/cobra"
)

// A question is one request to the care API.
type question struct {
	method string // empty: GET
	path   string
	query  url.Values
	body   any    // nil: none
	about  string // the argument that it is about, which the server's problems do not name; empty: none
}

// ask asks the server and prints the answer: as it is for machines, by show for people.
func ask[T any](cmd *cobra.Command, env *environment, q question, show func(T) error) error {
	answer, err := answerTo[T](cmd, env, q)
	if err != nil {
		return err
	}
	if env.json {
		return env.printJSON(answer)
	}
	return show(answer)
}

// answerTo asks the server and returns the answer.
func answerTo[T any](cmd *cobra.Command, env *environment, q question) (answer T, err error) {
	c, err := env.client()
	if err != nil {
		return answer, err
	}
	if q.method == "" || q.method == http.MethodGet {
		err = c.get(cmd.Context(), q.path, q.query, &answer)
	} else {
		err = c.send(cmd.Context(), q.method, q.path, q.body, &answer)
	}
	if q.about != "" {
		err = about(q.about, err)
	}
	return answer, err
}
