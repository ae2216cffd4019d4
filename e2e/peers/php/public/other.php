<?php echo 'another script ', $_SERVER['SCRIPT_NAME'];
