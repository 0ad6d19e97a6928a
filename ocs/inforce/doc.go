// Package inforce keeps what all servers on one database go by: a text that is named by its content, that anybody may put in
// force and that each server takes up without a restart. Policies of transfers and catalogues are such texts.
package inforce
