module paddock

go 1.18
