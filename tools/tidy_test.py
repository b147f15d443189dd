#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy_test: every check of tidy.py sees a bad example and complains, sees its good sibling and does not."""
import sys
import hashlib
import unittest

import c_text
import tidy

TOP = f"/* {tidy.SPDX} */\n"


def complaints(files, check=None, **more):
    worst = tidy.findings(tidy.Tree(files, **more))
    return sorted(key for (name, key) in worst if check is None or name == check)


class TidyTest(unittest.TestCase):
    def bad(self, check, path, text, key=None, **more):
        found = complaints({path: text}, check, **more)
        self.assertEqual(found, [key or path])

    def good(self, check, path, text, **more):
        self.assertEqual(complaints({path: text}, check, **more), [])

    def test_a_pure_layer_calls_nothing_outside(self):
        self.bad("purity", "src/geo/a.c", "", "geo:malloc", undefined={"geo": {"malloc": "a.c.o"}})
        self.bad("purity", "src/geo/a.c", "", "geo:time", undefined={"geo": {"time": "a.c.o", "memcpy": "a.c.o"}})
        self.good("purity", "src/geo/a.c", "", undefined={"geo": {"memcpy": "a.c.o", "__stack_chk_fail": "a.c.o"}})

    def test_a_pure_layer_includes_no_shell_header(self):
        self.bad("purity", "src/engine/a.c", "#include <stdio.h>\n", "src/engine/a.c:stdio.h")
        self.good("purity", "src/engine/a.c", "#include <string.h>\n")
        self.good("purity", "src/engine/a_test.c", "#include <stdio.h>\n")
        self.good("purity", "src/net/a.c", "#include <stdio.h>\n")

    def test_a_pure_layer_has_no_floating_point(self):
        self.bad("floating", "src/engine/a.c", "int f(double x);\n")
        self.bad("floating", "src/geo/a.h", "#define HALF 0.5\n")
        self.good("floating", "src/engine/a.c", '/* a double, 1.5 */ static const char *s = "float 2.5";\n')
        self.good("floating", "src/net/a.c", "double x;\n")

    def test_includes_point_down(self):
        self.bad("layers", "src/geo/a.c", '#include "engine/engine.h"\n', "src/geo/a.c:engine/engine.h")
        self.bad("layers", "src/store/a.c", '#include "net/loop.h"\n', "src/store/a.c:net/loop.h")
        self.bad("layers", "src/net/a.c", '#include "sim/disk.h"\n', "src/net/a.c:sim/disk.h")
        self.bad("layers", "src/new/a.c", "\n")
        down = '#include "net/loop.h"\n#include "engine/fact.h"\n#include "gateway/a.h"\n'
        self.good("layers", "src/gateway/a.c", down)
        self.good("layers", "src/store/a_test.c", '#include "sim/disk.h"\n')
        self.good("layers", "sim/a.c", '#include "api/routes.h"\n')
        self.good("layers", "src/main.c", '#include "ops/metrics.h"\n')

    def test_a_library_stands_behind_one_file(self):
        self.bad("outside", "src/api/a.c", "#include <sqlite3.h>\n", "src/api/a.c:sqlite3.h")
        self.bad("outside", "src/api/a.c", "#include <json-c/json.h>\n", "src/api/a.c:json-c/json.h")
        self.good("outside", "src/store/tables.c", "#include <sqlite3.h>\n#include <pthread.h>\n")

    def test_sizes_have_walls(self):
        self.bad("file", "src/net/a.c", "int x;\n" * 801)
        self.good("file", "src/net/a.c", "int x;\n" * 800)
        self.bad("header", "src/net/a.h", "int x;\n" * 151)
        self.good("header", "src/net/a.h", "/* long: one table */\n" + "int x;\n" * 200)
        self.good("header", "src/net/a.h", "#define A_LIST(X) \\\n" + "    X(a) \\\n" * 200 + "\n")
        self.bad("line", "src/net/a.c", "x" * 129 + "\n")
        self.good("line", "src/net/a.c", "x" * 128 + "\n")

    def test_a_function_ends_at_70_lines(self):
        body = "static int f(int x)\n{\n" + "    x++;\n" * 68 + "}\n"
        self.bad("function", "src/net/a.c", body, "src/net/a.c:f")
        self.good("function", "src/net/a.c", body.replace("    x++;\n", "", 1))
        self.good("function", "src/net/a.c", body.replace("{", "{ /* long: one switch */", 1))

    def test_unsafe_calls_are_banned(self):
        for call in ("strcpy(a, b)", "sprintf(a, b)", "atoi(a)", "strtod(a, 0)", "system(a)", "localtime(&t)"):
            name = call.split("(")[0]
            self.bad("banned", "src/net/a.c", f"void f(void) {{ {call}; }}\n", f"src/net/a.c:{name}")
        self.good("banned", "src/net/a_test.c", "void f(void) { strcpy(a, b); }\n")
        self.bad("banned", "src/net/a_test.c", "void f(void) { usleep(10); }\n", "src/net/a_test.c:usleep")
        self.good("banned", "src/net/a.c", '/* strcpy(a) */ const char *s = "sprintf(a)"; x->system(1);\n')

    def test_every_file_says_its_licence_and_what_it_is(self):
        self.bad("opening", "src/net/a.c", "int x;\n")
        self.bad("opening", "src/net/a.h", TOP + "int x;\n")
        self.good("opening", "src/net/a.h", TOP + "/* a.h: what it is. */\n")
        self.bad("opening", "tools/x.py", "#!/usr/bin/env python3\nimport os\n")
        self.good("opening", "tools/x", f"#!/bin/sh\n# {tidy.SPDX}\n")

    def test_headers_are_guarded_by_their_path(self):
        self.bad("guard", "src/net/a.h", TOP + "#ifndef A_H\n#define A_H\n#endif\n")
        self.good("guard", "src/net/a.h", TOP + "#ifndef NET_A_H\n#define NET_A_H\n#endif\n")
        self.bad("guard", "src/net/a.h", TOP + "#ifndef NET_A_H\n#endif\n")
        self.good("guard", "src/net/fake/a.h", "#ifndef NET_A_H\n#define NET_A_H\n#endif\n")
        self.good("guard", "src/a.h", "#ifndef A_H\n#define A_H\n#endif\n")
        self.good("guard", "sim/a.h", "#ifndef SIM_A_H\n#define SIM_A_H\n#endif\n")

    def test_logic_has_a_test_beside_it(self):
        logic = "int f(void)\n{\n    return 1;\n}\n"
        self.bad("tested", "src/net/a_b.c", logic)
        self.good("tested", "src/net/a_b.c", "const int x[] = {1};\n")
        self.assertEqual(complaints({"src/net/a_b.c": logic, "src/net/a_test.c": ""}, "tested"), [])

    def test_a_black_box_test_can_be_run(self):
        self.assertEqual(1, len(list(tidy.check_runnable(tidy.Tree({"tests/x.py": "assert True\n"})))))
        fine = {"tests/x.py": 'if __name__ == "__main__":\n    assert True\n', "tests/support/x.py": "X = 1\n"}
        self.assertEqual([], list(tidy.check_runnable(tidy.Tree(fine))))

    def test_a_test_asserts(self):
        quiet = "static void test_a(void **s)\n{\n    f(s);\n}\n"
        self.bad("asserts", "src/net/a_test.c", quiet, "src/net/a_test.c:test_a")
        self.good("asserts", "src/net/a_test.c", "int quiet(void **s)\n{\n    return 0;\n}\n"
                  "int main(void)\n{\n    return cmocka_run_group_tests(tests, quiet, NULL);\n}\n")
        helper = "static void f(void **s)\n{\n    assert_null(s);\n}\n"
        self.good("asserts", "src/net/a_test.c", helper + quiet)
        self.bad("asserts", "tests/a.py", 'if __name__ == "__main__":\n    print(1)\n')
        self.good("asserts", "tests/a.py", 'if __name__ == "__main__":\n    assert 1\n')

    def test_nothing_is_left_for_later(self):
        self.bad("leftover", "src/net/a.c", "/* TO" "DO: later */\n", "src/net/a.c:/* TO" "DO: later */")
        self.bad("place", "docs/a.md", "see /wor" "k/main\n", "docs/a.md:see /wor" "k/main")
        self.good("place", "docs/a.md", "see src/work/main and https://x.example/work/y\n")

    def test_generated_documents_are_fresh(self):
        files = {"tools/describe.c": TOP} | {f"docs/reference/{n}": n for n in tidy.DOCS[1]}
        fresh = {n: n for n in tidy.DOCS[1]}
        files |= {f"clients/{n}": n for n in tidy.CLIENTS}
        fresh |= {n: n for n in tidy.CLIENTS}
        files[tidy.TYPES] = "// of " + hashlib.sha256(b"openapi.json").hexdigest()
        self.assertEqual(complaints(files, "stale", fresh_docs=fresh), [])
        for path in (f"clients/{tidy.CLIENTS[0]}", tidy.TYPES):
            self.assertEqual(complaints(files | {path: "old"}, "stale", fresh_docs=fresh), [path])
        changed = fresh | {"facts.md": "new"}
        self.assertEqual(complaints(files, "stale", fresh_docs=changed), ["docs/reference/facts.md"])
        self.assertEqual(complaints(files, "stale"), ["build/describe"])

    def test_the_ratchet_holds_and_never_rises(self):
        worst = tidy.findings(tidy.Tree({"src/net/a.c": "int x;\n" * 900}))
        worst = {k: f for k, f in worst.items() if f.check == "file"}
        self.assertEqual(len(tidy.judge(worst, {})[0]), 1)
        self.assertEqual(tidy.judge(worst, {"file": {"src/net/a.c": 950}}), ([], {"file": {"src/net/a.c": 900}}))
        grown, lowered = tidy.judge(worst, {"file": {"src/net/a.c": 850}})
        self.assertEqual((len(grown), lowered), (1, {"file": {"src/net/a.c": 850}}))
        self.assertEqual(tidy.judge({}, {"file": {"src/net/gone.c": 850}}), ([], {}))

    def test_functions_are_found(self):
        text = ('struct err f(struct a *x,\n             int y)\n{\n    if (y) { g("}"); }\n    return e; /* } */\n}\n'
                "static const int t[] = {\n    [1] = A(2),\n};\n#define M(x) do { \\\n    } while (0)\n"
                "int g(void) { return 1; }\nstruct s { int (*f)(int); };\nvoid h(void)\n{\n}\n")
        found = [(f.name, f.first, f.last) for f in c_text.functions(text)]
        self.assertEqual(found, [("f", 1, 6), ("g", 12, 12), ("h", 14, 16)])


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
