package httplogging

import (
	"fmt"
	"strconv"
	"time"
)

// The values of period. MaxSize is not rolled over by time: one file, which other programs may rotate.
const (
	periodHourly  = "Hourly"
	periodDaily   = "Daily"
	periodWeekly  = "Weekly"
	periodMonthly = "Monthly"
	periodMaxSize = "MaxSize"
)

// naming says in which file the line of a moment belongs.
type naming struct {
	period string
	local  bool // localTimeRollover: the period turns at local midnight; the times in the file stay UTC
}

func (n naming) key() string { return n.period + ":" + strconv.FormatBool(n.local) }

// name returns the file name for a moment, as IIS names its files: "u_" says that the text is UTF-8.
func (n naming) name(t time.Time) string {
	if n.local {
		t = t.Local()
	} else {
		t = t.UTC()
	}
	switch n.period {
	case periodHourly:
		return "u_ex" + t.Format("06010215") + ".log"
	case periodWeekly:
		return fmt.Sprintf("u_ex%s%02d.log", t.Format("0601"), (t.Day()-1)/7+1)
	case periodMonthly:
		return "u_ex" + t.Format("0601") + ".log"
	case periodMaxSize:
		return "u_extend.log"
	}
	return "u_ex" + t.Format("060102") + ".log"
}
