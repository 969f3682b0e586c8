"""Waits for the application, runs the tests, prints them and writes a JUnit report; exits 1 if any test failed."""

import argparse
import pathlib
import sys
import time
import unittest
import xml.etree.ElementTree as xml

import test_web


class Timed(unittest.TextTestResult):
    """Keeps how long each test took and how it ended, for the report."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.cases = []

    def startTest(self, test):
        self.started = time.monotonic()
        super().startTest(test)

    def stopTest(self, test):
        self.cases.append((test, time.monotonic() - self.started))
        super().stopTest(test)

    def details(self, test):
        """Returns (kind, text) for every way in which the test did not pass, its sub-tests' ways included."""
        lists = [("failure", self.failures), ("error", self.errors), ("skipped", self.skipped)]
        return [(kind, text) for kind, entries in lists for case, text in entries if self.parent(case) is test]

    @staticmethod
    def parent(case):
        return getattr(case, "test_case", case)


def write_report(result, path):
    """Writes what happened as JUnit XML, the format that most tools read."""
    suite = xml.Element("testsuite", name="web", tests=str(result.testsRun), failures=str(len(result.failures)),
                        errors=str(len(result.errors)), skipped=str(len(result.skipped)))
    for test, seconds in result.cases:
        owner, _, name = test.id().rpartition(".")
        case = xml.SubElement(suite, "testcase", classname=owner, name=name, time=f"{seconds:.3f}")
        for kind, text in result.details(test):
            xml.SubElement(case, kind).text = text
    path.parent.mkdir(parents=True, exist_ok=True)
    xml.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
    print(f"report: {path}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=pathlib.Path, help="where the JUnit report goes")
    options = parser.parse_args()
    test_web.wait_until_up()
    suite = unittest.defaultTestLoader.loadTestsFromModule(test_web)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Timed).run(suite)
    if options.report:
        write_report(result, options.report)
    sys.exit(not result.wasSuccessful())


if __name__ == "__main__":
    main()
