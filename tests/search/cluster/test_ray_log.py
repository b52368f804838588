"""Where Ray's words go."""

import logging
import threading

from search.cluster.ray_log import FILE_NAME, ray_output_in


def in_thread(name: str, text: str) -> None:
    thread = threading.Thread(target=lambda: print(text), name=name)
    thread.start()
    thread.join()


def test_what_ray_logs_and_its_threads_print_goes_to_the_file(tmp_path, capsys):
    with ray_output_in(tmp_path):
        print("ours")
        in_thread("ray_listen_error_messages", "(raylet) 20 processes have been started")
        in_thread("a user's thread", "theirs")
        try:
            raise ValueError("of a trial")
        except ValueError:
            logging.getLogger("ray.tune.execution.tune_controller").exception("Trial task failed")
    told = capsys.readouterr()
    assert told.out == "ours\ntheirs\n"
    assert told.err == ""
    kept = (tmp_path / FILE_NAME).read_text()
    assert "ray.cluster: (raylet) 20 processes have been started" in kept
    assert "Trial task failed" in kept
    assert kept.rstrip().endswith("ValueError: of a trial")


def test_without_a_word_there_is_no_file_and_all_is_as_before(tmp_path):
    logger = logging.getLogger("ray")
    before = logger.handlers[:], logger.level
    with ray_output_in(tmp_path):
        logging.getLogger("ray.tune").info("a snapshot")
    assert (logger.handlers, logger.level) == before
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_cannot_be_written_is_no_fault_of_the_run(tmp_path, capsys):
    (tmp_path / FILE_NAME).symlink_to("/dev/full")
    with ray_output_in(tmp_path):
        logging.getLogger("ray.train").error("workers died")
    assert capsys.readouterr().err == ""
