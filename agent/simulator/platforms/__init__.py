"""One file a platform, named as its row; what the two KORE platforms share is in `kore`."""
