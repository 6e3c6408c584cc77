package email

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"strconv"
	"strings"
	"time"
)

// A message is one call of #SendEmail.
type message struct {
	From struct {
		Address  string `json:"address"`
		Alias    string `json:"alias,omitempty"`
		Password string `json:"password,omitempty"`
		Host     string `json:"host"`
		Port     int    `json:"port"`
	} `json:"from"`
	To      []string `json:"to"`
	Content struct {
		Subject string `json:"subject"`
		Body    string `json:"body"`
	} `json:"content"`
}

const lineLength = 76

// compose returns the mail as it is sent, and the addresses that get it.
func (m message) compose(now time.Time, id string) (text []byte, recipients []string, err error) {
	from, err := mail.ParseAddress(m.From.Address)
	if err != nil {
		return nil, nil, fmt.Errorf("from.address: expected an address such as team@example.com, got %q", m.From.Address)
	}
	if m.From.Alias != "" {
		from.Name = m.From.Alias
	}
	if len(m.To) == 0 {
		return nil, nil, errors.New("to: expected at least one address")
	}
	var to []string
	for i, address := range m.To {
		a, err := mail.ParseAddress(address)
		if err != nil {
			return nil, nil, fmt.Errorf("to[%d]: expected an address such as team@example.com, got %q", i, address)
		}
		to, recipients = append(to, a.String()), append(recipients, a.Address)
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	var b bytes.Buffer
	for _, line := range [][2]string{
		{"From", from.String()}, {"To", strings.Join(to, ",\r\n ")},
		{"Subject", mime.QEncoding.Encode("utf-8", m.Content.Subject)},
		{"Date", now.Format(time.RFC1123Z)}, {"Message-ID", "<" + id + "." + strconv.FormatInt(now.UnixNano(), 36) + "@" + domain + ">"},
		{"MIME-Version", "1.0"}, {"Content-Type", `text/html; charset="utf-8"`}, {"Content-Transfer-Encoding", "base64"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", line[0], line[1])
	}
	b.WriteString("\r\n")
	body := base64.StdEncoding.EncodeToString([]byte(m.Content.Body))
	for len(body) > lineLength {
		b.WriteString(body[:lineLength] + "\r\n")
		body = body[lineLength:]
	}
	b.WriteString(body + "\r\n")
	return b.Bytes(), recipients, nil
}
