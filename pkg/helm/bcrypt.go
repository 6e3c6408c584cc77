package helm

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/blowfish"
)

// bcryptCost is the cost that templates get from Helm.
const bcryptCost = 10

// bcrypt hashes a password. The salt is derived, so that the hash stays the
// same; golang.org/x/crypto/bcrypt takes none from outside.
func (r *random) bcrypt(password string) (string, error) {
	salt, err := r.bytes(16, "bcrypt", password)
	if err != nil {
		return "", err
	}
	return bcryptHash(password, salt)
}

func (r *random) htpasswd(user, password string) (string, error) {
	if strings.Contains(user, ":") {
		return "", fmt.Errorf("htpasswd: the user %q holds a colon", user)
	}
	hash, err := r.bcrypt(password)
	return user + ":" + hash, err
}

// bcryptHash is the algorithm 2a.
func bcryptHash(password string, salt []byte) (string, error) {
	key := append([]byte(password), 0)
	if len(key) > 72 {
		key = key[:72]
	}
	c, err := blowfish.NewSaltedCipher(key, salt)
	if err != nil {
		return "", fmt.Errorf("bcrypt: %w", err)
	}
	for range 1 << bcryptCost {
		blowfish.ExpandKey(key, c)
		blowfish.ExpandKey(salt, c)
	}
	text := []byte("OrpheanBeholderScryDoubt")
	for block := text; len(block) > 0; block = block[blowfish.BlockSize:] {
		for range 64 {
			c.Encrypt(block, block)
		}
	}
	encoding := base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)
	return fmt.Sprintf("$2a$%02d$%s%s", bcryptCost, encoding.EncodeToString(salt), encoding.EncodeToString(text[:23])), nil
}
