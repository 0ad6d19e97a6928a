// Package cdr tells billing what was charged: a month of records, in files, without a gap and always the same.
//
// A month is closed once ([Book.Close]). Closing gives every record of it a number, in one sequence over all months, and
// keeps that in the database by runs of some thousand records: the rows of calls are not touched. What a run holds is known
// by a print of each key, so a row that comes after the closing is told from those that were numbered. Such late rows get
// numbers when the next month is closed, as corrections. Closing may stop anywhere and goes on where it was; two who close
// the same month do it together.
//
// A closed month is read in the order of its numbers ([Book.WriteFile]), as often as wanted, and comes out the same to the
// octet in CSV, JSON lines, Parquet and BER. Everything in a file comes from rows that never change, or was kept with the run.
//
// Records are of calls and events (one for each CDR) and of what was posted: grants, transfers and their fees, refunds,
// corrections, expiries. The latter are made from the postings and written nowhere else. A posted record belongs to one
// subscriber; the records of one subscriber together say how its buckets changed.
//
// [Export] brings a closed month to a [Destination]: a directory, an S3 bucket, a host with SFTP. It appears there file by
// file, each whole or not at all; an export that was killed goes on with the file that it was at. The manifest comes last.
package cdr
